"""Why a job failed: from run history's error and the end of the failed step's log to an error with a cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from azure_ml.errors import (
    Cause,
    JobCanceled,
    JobFailed,
    JobFailedForGood,
    JobInterrupted,
    JobNotCompleted,
    JobNotResponding,
    JobPaused,
)
from azure_ml.hook._translate import reason_of
from azure_ml.hook.causes import cause_of
from azure_ml.masking import masked

# The error of a failed job, by its cause.
FAILURES: Final[dict[Cause, type[JobFailed]]] = {
    Cause.UNKNOWN: JobFailedForGood,
    **{kind.cause: kind for kind in JobInterrupted.__subclasses__()},
    **{kind.cause: kind for kind in JobFailedForGood.__subclasses__()},
}

# The error of a job that ended, or stands still, in another state; by the state in lower case.
ENDS: Final[dict[str, type[JobNotCompleted]]] = {
    "canceled": JobCanceled,
    "paused": JobPaused,
    "notresponding": JobNotResponding,
}


@dataclass(frozen=True)
class Failure:
    """Why a job failed."""

    cause: Cause
    step: str  # name of the failed step; empty if no step failed
    message: str  # the service's own words, masked, on one line
    lines: tuple[str, ...] = ()  # the end of the step's log, masked

    def error(self, job_name: str) -> JobFailed:
        """The error to raise: what failed, why, the cure, and the last lines."""
        return FAILURES[self.cause](f"The job {job_name!r} has failed: {self}")

    def __str__(self) -> str:
        where = f"its step {self.step!r}" if self.step else "no step of it"
        last = "\n".join(self.lines)
        why = f"{where} failed: {self.message} (cause: {self.cause}); {FAILURES[self.cause].cure}."
        return why + (f"\nIts last lines:\n{last}" if last else "")


def failure(error: object, step: str, lines: list[str]) -> Failure:
    """Classify a failure from ``RootError`` of run history and the end of the failed step's log."""
    message = str(getattr(error, "message", None) or "")
    reason = reason_of(error) if error is not None else "the service gives no reason"
    return Failure(
        cause_of(list(_codes(error)), message, lines), step, reason, tuple(masked(line) for line in lines)
    )


def _codes(error: object) -> Iterator[str]:
    """Every code of an error, outermost first."""
    while error is not None:
        for name in ("code", "reference_code"):
            if code := getattr(error, name, None):
                yield str(code)
        for detail in getattr(error, "details", None) or []:
            yield from _codes(detail)
        error = getattr(error, "inner_error", None)
