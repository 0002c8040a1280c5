"""What goes wrong between Airflow and the service."""


# ruff: noqa: N818

from __future__ import annotations

from azure_ml.errors.base import AzureMLError, Cause, NoRetry


class Unreachable(AzureMLError):
    """Nothing answers at the service's address."""

    cause = Cause.PLATFORM
    cure = "check the network and the cloud's addresses"


class MachineFailure(AzureMLError):
    """The operating system of the machine on which this runs refuses: too many open files, a broken disk."""

    cause = Cause.MACHINE
    cure = "look at that machine: its disk, its memory, and how many files are open"


class DiskFull(MachineFailure):
    """The disk of the machine on which this runs is full."""

    cause = Cause.DISK_FULL
    cure = "free space on the disk of that machine, or let TMPDIR and HF_HOME name larger ones"


class Throttled(AzureMLError):
    """The service asks for fewer requests (429)."""

    cause = Cause.THROTTLED
    cure = "wait, and send fewer requests"


class ServiceFailure(AzureMLError):
    """The service failed (5xx), or its answer makes no sense."""

    cause = Cause.PLATFORM
    cure = "try again; if it stays, look at the status page of Azure"


class Conflict(AzureMLError):
    """The resource is busy with another operation (409)."""

    cause = Cause.PLATFORM
    cure = "wait until the operation under way has ended"


class NoCapacity(AzureMLError):
    """The region has no such machine at the moment."""

    cause = Cause.CAPACITY
    cure = "wait for machines, or choose another size or region"


class OperationFailed(AzureMLError):
    """A long operation ended in failure."""

    cure = "look at the resource in Azure ML Studio"


class OperationTimeout(AzureMLError):
    """A long operation took longer than allowed."""

    cause = Cause.TIMEOUT


class BadInput(NoRetry):
    """The user gave a wrong value."""

    cause = Cause.BAD_PARAMETER
    cure = "correct the value"


class BadConnection(NoRetry):
    """The Airflow connection lacks something or contradicts itself."""

    cause = Cause.BAD_PARAMETER


class AuthFailed(NoRetry):
    """No credential, a refused one, or one without the permission."""

    cause = Cause.AUTH
    cure = "check the connection's login, and that its identity has a role on the workspace"


class FileRefused(NoRetry):
    """The user that this runs as may not read or write a file of its own machine."""

    cause = Cause.MACHINE
    cure = "give the user that Airflow runs as the permission on it"


class NotFound(NoRetry):
    """The workspace, or a thing in it, does not exist."""

    cause = Cause.BAD_PARAMETER
    cure = "check the name, and the connection's subscription, group, workspace and registry"


class NameTaken(NoRetry):
    """Another owner holds the name."""

    cause = Cause.BAD_PARAMETER


class QuotaExceeded(NoRetry):
    """The subscription's quota does not allow it."""

    cause = Cause.QUOTA
    cure = "ask for more quota, or choose a smaller size or another region"


class UnknownState(NoRetry):
    """The service names a state that :mod:`azure_ml.states` does not have."""


class MalformedAnswer(NoRetry):
    """A deployment's answer is empty or has no text in it."""
