"""All that can go wrong with Azure ML, as one tree; each class names its :class:`Cause` and its cure.

::

    AzureMLError               a retry may help
    ├── Unreachable, Throttled, ServiceFailure, Conflict, NoCapacity, OperationFailed, OperationTimeout
    ├── MachineFailure         the worker's own machine; DiskFull
    ├── JobNotCompleted        the job ended, or stands still, without success
    │   ├── JobFailed
    │   │   ├── JobInterrupted JobPreempted, JobNoCapacity, JobThrottled, JobPlatformFailed
    │   │   └── JobFailedForGood (NoRetry) JobQuotaExceeded, JobOutOfMemory, JobBadData, JobBadParameter,
    │   │                      JobAuthFailed, JobDiskFull
    │   └── (NoRetry)          JobCanceled, JobPaused, JobNotResponding, and JobOverBudget:
    │                          JobQueuedTooLong, JobRanTooLong
    └── NoRetry                trying again cannot help; Airflow does not retry it
        └── BadInput, BadConnection, AuthFailed, NotFound, NameTaken, QuotaExceeded, UnknownState,
            MalformedAnswer, FileRefused
    Killed                     a user, or a timeout, ended the task
"""

from __future__ import annotations

from azure_ml.errors.base import (
    AzureMLError,
    Cause,
    Killed,
    NoRetry,
)
from azure_ml.errors.jobs import (
    JobAuthFailed,
    JobBadData,
    JobBadParameter,
    JobCanceled,
    JobDiskFull,
    JobFailed,
    JobFailedForGood,
    JobInterrupted,
    JobNoCapacity,
    JobNotCompleted,
    JobNotResponding,
    JobOutOfMemory,
    JobOverBudget,
    JobPaused,
    JobPlatformFailed,
    JobPreempted,
    JobQueuedTooLong,
    JobQuotaExceeded,
    JobRanTooLong,
    JobThrottled,
)
from azure_ml.errors.service import (
    AuthFailed,
    BadConnection,
    BadInput,
    Conflict,
    DiskFull,
    FileRefused,
    MachineFailure,
    MalformedAnswer,
    NameTaken,
    NoCapacity,
    NotFound,
    OperationFailed,
    OperationTimeout,
    QuotaExceeded,
    ServiceFailure,
    Throttled,
    UnknownState,
    Unreachable,
)

__all__ = [
    "AuthFailed",
    "AzureMLError",
    "BadConnection",
    "BadInput",
    "Cause",
    "Conflict",
    "DiskFull",
    "FileRefused",
    "JobAuthFailed",
    "JobBadData",
    "JobBadParameter",
    "JobCanceled",
    "JobDiskFull",
    "JobFailed",
    "JobFailedForGood",
    "JobInterrupted",
    "JobNoCapacity",
    "JobNotCompleted",
    "JobNotResponding",
    "JobOutOfMemory",
    "JobOverBudget",
    "JobPaused",
    "JobPlatformFailed",
    "JobPreempted",
    "JobQueuedTooLong",
    "JobQuotaExceeded",
    "JobRanTooLong",
    "JobThrottled",
    "Killed",
    "MachineFailure",
    "MalformedAnswer",
    "NameTaken",
    "NoCapacity",
    "NoRetry",
    "NotFound",
    "OperationFailed",
    "OperationTimeout",
    "QuotaExceeded",
    "ServiceFailure",
    "Throttled",
    "UnknownState",
    "Unreachable",
]
