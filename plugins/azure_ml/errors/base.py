"""What all errors share: a cause, a cure, and whether Airflow may try again."""

# The tree reads better without the word "Error" at the end of every line.
# ruff: noqa: N818

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from azure_ml.masking import error_text


class Cause(StrEnum):
    """Why something failed; :mod:`azure_ml.retries` decides by it whether to pay again."""

    QUOTA = "quota"
    CAPACITY = "capacity"
    PREEMPTION = "preemption"
    OUT_OF_MEMORY = "out_of_memory"
    BAD_DATA = "bad_data"
    BAD_PARAMETER = "bad_parameter"
    AUTH = "auth"
    THROTTLED = "throttled"
    PLATFORM = "platform"
    DISK_FULL = "disk_full"
    MACHINE = "machine"
    CANCELED = "canceled"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


class AzureMLError(AirflowException):
    """Base of all errors here; its text says what, where, the value, and the cure in one sentence."""

    cause: ClassVar[Cause] = Cause.UNKNOWN
    cure: ClassVar[str] = ""

    def __init__(self, text: object = "") -> None:
        # Much of it is quoted, from the service or from a log, and Airflow keeps and shows all of it.
        super().__init__(error_text(text))


class NoRetry(AzureMLError, AirflowFailException):
    """Trying again cannot help: Airflow fails the task at once."""


# Not an AzureMLError: code that tolerates failures of the service must not tolerate a kill.
class Killed(AirflowException):
    """A user, or a timeout, ended the task; raised by ``on_kill`` so that ``execute`` stops at once."""

    cause: ClassVar[Cause] = Cause.CANCELED
