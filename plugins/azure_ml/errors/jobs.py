"""How a job ends, or stands still, without success."""


# ruff: noqa: N818

from __future__ import annotations

from azure_ml.errors.base import AzureMLError, Cause, NoRetry
from azure_ml.errors.service import NoCapacity, QuotaExceeded

_NEW_JOB = "a retry submits a new job"


class JobNotCompleted(AzureMLError):
    """The job ended, or stands still, without success."""


class JobFailed(JobNotCompleted):
    """The job failed; the text names the failed step, its last lines, and the cure."""


class JobInterrupted(JobFailed):
    """The job failed for a cause that may pass: a retry of the waiting task submits a new one."""


class JobPreempted(JobInterrupted):
    """Azure took a low-priority node away."""

    cause = Cause.PREEMPTION
    cure = f"use a dedicated cluster if it happens often; {_NEW_JOB}"


class JobNoCapacity(JobInterrupted):
    """The region had no machine to give."""

    cause = Cause.CAPACITY
    cure = f"{NoCapacity.cure}; {_NEW_JOB}"


class JobThrottled(JobInterrupted):
    """A service that the job uses asked for fewer requests."""

    cause = Cause.THROTTLED
    cure = f"send fewer requests; {_NEW_JOB}"


class JobPlatformFailed(JobInterrupted):
    """Azure ML itself, or its storage, failed."""

    cause = Cause.PLATFORM
    cure = f"look at the status page of Azure; {_NEW_JOB}"


class JobFailedForGood(JobFailed, NoRetry):
    """A job with the same inputs would fail again, or the cause is unknown: nobody pays for it twice."""

    cure = "read the step's log in Studio, and clear the submitting task once the cause is mended"


class JobQuotaExceeded(JobFailedForGood):
    """The subscription's quota does not allow it."""

    cause = Cause.QUOTA
    cure = QuotaExceeded.cure


class JobOutOfMemory(JobFailedForGood):
    """The memory of the machine, or of its GPU, was too small."""

    cause = Cause.OUT_OF_MEMORY
    cure = "lower the batch size or the sequence length, or take a larger machine"


class JobDiskFull(JobFailedForGood):
    """The disk of the machine that trained was too small."""

    cause = Cause.DISK_FULL
    cure = "take a machine with a larger disk, or less data and fewer checkpoints"


class JobBadData(JobFailedForGood):
    """The training could not read its data."""

    cause = Cause.BAD_DATA
    cure = "mend the data"


class JobBadParameter(JobFailedForGood):
    """The training refused a parameter."""

    cause = Cause.BAD_PARAMETER
    cure = "correct the parameter"


class JobAuthFailed(JobFailedForGood):
    """The job's identity lacks a permission."""

    cause = Cause.AUTH
    cure = "give the job's identity the role that it lacks"


class JobCanceled(JobNotCompleted, NoRetry):
    """A user canceled the job."""

    cause = Cause.CANCELED
    cure = "somebody has canceled it; clear the submitting task to train anew"


class JobPaused(JobNotCompleted, NoRetry):
    """The job stands still until a user resumes it."""

    cure = "it stands still until somebody resumes it in Studio"


class JobNotResponding(JobNotCompleted, NoRetry):
    """The job's machine sends no sign of life; it may compute, and cost, all the same."""

    cause = Cause.PLATFORM
    cure = (
        "its machine sends no sign of life but may still compute; see in Studio that it has ended, then clear "
        "the submitting task"
    )


class JobOverBudget(JobNotCompleted, NoRetry):
    """The job took longer than allowed and was canceled."""

    cause = Cause.TIMEOUT


class JobQueuedTooLong(JobOverBudget):
    """The job's steps waited longer for a node than ``queue_timeout``."""

    cause = Cause.CAPACITY


class JobRanTooLong(JobOverBudget):
    """The job ran longer than ``run_timeout``."""
