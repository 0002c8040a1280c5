"""All that can go wrong with Azure ML, as one tree.

::

    AzureMLError                 a retry may help
    ├── Unreachable              nothing answers at the address
    ├── Throttled                429
    ├── ServiceFailure           5xx, or an answer that makes no sense
    ├── Conflict                 the resource is busy with another operation
    ├── OperationFailed          a long operation ended in failure
    ├── OperationTimeout         a long operation took longer than allowed
    ├── Killed                   somebody, or a timeout, has ended the task
    └── NoRetry                  trying again cannot help; Airflow does not retry it
        ├── BadInput             a value of the user's is wrong
        ├── BadConnection        the Airflow connection lacks something or contradicts itself
        ├── AuthFailed           no credential, a refused one, or one without the permission
        ├── NotFound             the workspace, or a thing in it, does not exist
        ├── NameTaken            the name belongs to somebody else
        ├── QuotaExceeded        the subscription may not have so much
        ├── UnknownState         the service names a state that is not in the table
        ├── MalformedAnswer      a deployment's answer has no text in it
        └── JobNotCompleted      the job has ended, or stands still, without success
            ├── JobFailed
            ├── JobCanceled
            ├── JobPaused
            └── JobNotResponding
"""

# The tree reads better without the word "Error" at the end of every line.
# ruff: noqa: N818

from __future__ import annotations

from airflow.sdk.exceptions import AirflowException, AirflowFailException


class AzureMLError(AirflowException):
    """Base of all errors of this package: one sentence with what, where, the value, and the cure."""


class Unreachable(AzureMLError):
    """Nothing answers at the service's address."""


class Throttled(AzureMLError):
    """The service asks to slow down (429)."""


class ServiceFailure(AzureMLError):
    """The service failed (5xx), or its answer makes no sense."""


class Conflict(AzureMLError):
    """The resource is busy with another operation (409)."""


class OperationFailed(AzureMLError):
    """A long operation ended in failure."""


class OperationTimeout(AzureMLError):
    """A long operation took longer than allowed."""


class Killed(AzureMLError):
    """Somebody, or a timeout, has ended the task; raised by ``on_kill`` so that ``execute`` stops at once."""


class NoRetry(AzureMLError, AirflowFailException):
    """Trying again cannot help: Airflow fails the task at once."""


class BadInput(NoRetry):
    """A value of the user's is wrong."""


class BadConnection(NoRetry):
    """The Airflow connection lacks something or contradicts itself."""


class AuthFailed(NoRetry):
    """No credential, a refused one, or one without the permission."""


class NotFound(NoRetry):
    """The workspace, or a thing in it, does not exist."""


class NameTaken(NoRetry):
    """The name belongs to somebody else."""


class QuotaExceeded(NoRetry):
    """The subscription may not have so much."""


class UnknownState(NoRetry):
    """The service names a state that is not in the table of :mod:`azure_ml.states`."""


class MalformedAnswer(NoRetry):
    """A deployment's answer is empty or has no text in it."""


class JobNotCompleted(NoRetry):
    """The job has ended, or stands still, without success."""


class JobFailed(JobNotCompleted):
    """The job failed; the message names the failed step and holds its last lines."""


class JobCanceled(JobNotCompleted):
    """The job was canceled by somebody."""


class JobPaused(JobNotCompleted):
    """The job stands still until somebody resumes it."""


class JobNotResponding(JobNotCompleted):
    """The job's machine has sent no sign of life for a while."""
