"""All that can go wrong with Azure ML, as one tree; each class says by which :class:`Cause`.

::

    AzureMLError               a retry may help
    ├── Unreachable, Throttled, ServiceFailure, Conflict, NoCapacity, OperationFailed, OperationTimeout
    ├── JobNotCompleted        the job has ended, or stands still, without success
    │   ├── JobFailed
    │   │   ├── JobInterrupted JobPreempted, JobNoCapacity, JobThrottled, JobPlatformFailed
    │   │   └── JobFailedForGood (NoRetry) JobQuotaExceeded, JobOutOfMemory, JobBadData, JobBadParameter,
    │   │                      JobAuthFailed
    │   └── (NoRetry)          JobCanceled, JobPaused, JobNotResponding, and JobOverBudget:
    │                          JobQueuedTooLong, JobRanTooLong
    └── NoRetry                trying again cannot help; Airflow does not retry it
        └── BadInput, BadConnection, AuthFailed, NotFound, NameTaken, QuotaExceeded, UnknownState,
            MalformedAnswer
    Killed                     somebody, or a timeout, has ended the task
"""

# The tree reads better without the word "Error" at the end of every line.
# ruff: noqa: N818

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from airflow.sdk.exceptions import AirflowException, AirflowFailException


class Cause(StrEnum):
    """Why something failed: what decides whether a retry makes sense, and what the cure is."""

    QUOTA = "quota"
    CAPACITY = "capacity"
    PREEMPTION = "preemption"
    OUT_OF_MEMORY = "out_of_memory"
    BAD_DATA = "bad_data"
    BAD_PARAMETER = "bad_parameter"
    AUTH = "auth"
    THROTTLED = "throttled"
    PLATFORM = "platform"
    CANCELED = "canceled"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


class AzureMLError(AirflowException):
    """Base of all errors of this package: one sentence with what, where, the value, and the cure."""

    cause: ClassVar[Cause] = Cause.UNKNOWN


class Unreachable(AzureMLError):
    """Nothing answers at the service's address."""

    cause = Cause.PLATFORM


class Throttled(AzureMLError):
    """The service asks to slow down (429)."""

    cause = Cause.THROTTLED


class ServiceFailure(AzureMLError):
    """The service failed (5xx), or its answer makes no sense."""

    cause = Cause.PLATFORM


class Conflict(AzureMLError):
    """The resource is busy with another operation (409)."""

    cause = Cause.PLATFORM


class NoCapacity(AzureMLError):
    """The region has no such machine to give at the moment."""

    cause = Cause.CAPACITY


class OperationFailed(AzureMLError):
    """A long operation ended in failure."""


class OperationTimeout(AzureMLError):
    """A long operation took longer than allowed."""

    cause = Cause.TIMEOUT


class Killed(AirflowException):
    """Somebody, or a timeout, has ended the task; raised by ``on_kill`` so that ``execute`` stops at once.

    No ``AzureMLError``: what bears with a service's failures must not bear with it.
    """

    cause: ClassVar[Cause] = Cause.CANCELED


class NoRetry(AzureMLError, AirflowFailException):
    """Trying again cannot help: Airflow fails the task at once."""


class BadInput(NoRetry):
    """A value of the user's is wrong."""

    cause = Cause.BAD_PARAMETER


class BadConnection(NoRetry):
    """The Airflow connection lacks something or contradicts itself."""

    cause = Cause.BAD_PARAMETER


class AuthFailed(NoRetry):
    """No credential, a refused one, or one without the permission."""

    cause = Cause.AUTH


class NotFound(NoRetry):
    """The workspace, or a thing in it, does not exist."""

    cause = Cause.BAD_PARAMETER


class NameTaken(NoRetry):
    """The name belongs to somebody else."""

    cause = Cause.BAD_PARAMETER


class QuotaExceeded(NoRetry):
    """The subscription may not have so much."""

    cause = Cause.QUOTA


class UnknownState(NoRetry):
    """The service names a state that is not in the table of :mod:`azure_ml.states`."""


class MalformedAnswer(NoRetry):
    """A deployment's answer is empty or has no text in it."""


class JobNotCompleted(AzureMLError):
    """The job has ended, or stands still, without success."""


class JobFailed(JobNotCompleted):
    """The job failed; the message names the failed step, its last lines, and the cure."""


class JobInterrupted(JobFailed):
    """The job failed for a cause that may pass: a retry of the waiting task submits a new one."""


class JobPreempted(JobInterrupted):
    """A low-priority node was taken away."""

    cause = Cause.PREEMPTION


class JobNoCapacity(JobInterrupted):
    """The region had no machine to give."""

    cause = Cause.CAPACITY


class JobThrottled(JobInterrupted):
    """The job met a service that asked to slow down."""

    cause = Cause.THROTTLED


class JobPlatformFailed(JobInterrupted):
    """Azure ML itself, or its storage, failed."""

    cause = Cause.PLATFORM


class JobFailedForGood(JobFailed, NoRetry):
    """A job of the same inputs would fail again, or nobody can tell: it is not paid for twice."""


class JobQuotaExceeded(JobFailedForGood):
    """The subscription may not have so much."""

    cause = Cause.QUOTA


class JobOutOfMemory(JobFailedForGood):
    """The machine's, or its GPU's, memory was too small."""

    cause = Cause.OUT_OF_MEMORY


class JobBadData(JobFailedForGood):
    """The training could not read its data."""

    cause = Cause.BAD_DATA


class JobBadParameter(JobFailedForGood):
    """The training refused a parameter."""

    cause = Cause.BAD_PARAMETER


class JobAuthFailed(JobFailedForGood):
    """The job's identity may not do what it had to."""

    cause = Cause.AUTH


class JobCanceled(JobNotCompleted, NoRetry):
    """The job was canceled by somebody."""

    cause = Cause.CANCELED


class JobPaused(JobNotCompleted, NoRetry):
    """The job stands still until somebody resumes it."""


class JobNotResponding(JobNotCompleted, NoRetry):
    """The job's machine has sent no sign of life for a while; it may compute, and cost, all the same."""

    cause = Cause.PLATFORM


class JobOverBudget(JobNotCompleted, NoRetry):
    """The job took longer than allowed and was canceled."""

    cause = Cause.TIMEOUT


class JobQueuedTooLong(JobOverBudget):
    """The job's steps waited longer for a node than ``queue_timeout``."""

    cause = Cause.CAPACITY


class JobRanTooLong(JobOverBudget):
    """The job ran longer than ``run_timeout``."""
