"""Why a job failed: from run history's error and the end of the failed step's log to a cause and a cure.

Sources: ``RootError`` and ``InnerErrorResponse`` of the published run-history contract, whose documented codes
are ServiceError, UserError, ValidationError, AzureStorageError, TransientError and RequestThrottled; and the
codes that Azure Compute documents for allocations. What runs under ``UserError`` is told apart by its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from azure_ml.errors import Cause, JobFailed, JobFailedForGood, JobInterrupted
from azure_ml.hook._translate import masked, reason_of

FAILURES: Final[dict[Cause, type[JobFailed]]] = {
    Cause.UNKNOWN: JobFailedForGood,
    **{kind.cause: kind for kind in JobInterrupted.__subclasses__()},
    **{kind.cause: kind for kind in JobFailedForGood.__subclasses__()},
}
"""The error of a failed job, by its cause."""

RETRYABLE: Final = frozenset(kind.cause for kind in JobInterrupted.__subclasses__())
"""Causes after which a new job may succeed."""

CURES: Final = {
    Cause.QUOTA: "ask for more quota, or choose a smaller size or another region",
    Cause.CAPACITY: "wait for machines, or choose another size or region; a retry submits a new job",
    Cause.PREEMPTION: "use a dedicated cluster if it happens often; a retry submits a new job",
    Cause.OUT_OF_MEMORY: "lower the batch size or the sequence length, or take a larger machine",
    Cause.BAD_DATA: "mend the data",
    Cause.BAD_PARAMETER: "correct the parameter",
    Cause.AUTH: "give the job's identity the role that it lacks",
    Cause.THROTTLED: "send fewer requests; a retry submits a new job",
    Cause.PLATFORM: "look at the status page of Azure; a retry submits a new job",
    Cause.UNKNOWN: "read the step's log in Studio, and clear the submitting task once the cause is mended",
}

_BY_CODE: Final = (
    (Cause.PREEMPTION, r"preempt|evict"),
    (Cause.QUOTA, r"quota"),
    (Cause.CAPACITY, r"allocation|capacity|SkuNotAvailable|NoNodesAvailable"),
    (Cause.THROTTLED, r"throttl|TooManyRequests"),
    (Cause.OUT_OF_MEMORY, r"out_?of_?memory|OOM"),
    (Cause.AUTH, r"authori[sz]ation|authentication|unauthori[sz]ed|forbidden|credential"),
    (Cause.BAD_DATA, r"data(set)?(not|access|stream|validation|format)"),
    (Cause.BAD_PARAMETER, r"validation|badargument|invalid(parameter|argument|input)"),
)
_BY_HEADLINE: Final = (
    (Cause.PREEMPTION, r"\bpreempt|\bevicted\b"),
    (Cause.QUOTA, r"\bquota\b|core limit"),
    (Cause.CAPACITY, r"allocation (failed|timed out)|(insufficient|not enough|out of) capacity"),
    (Cause.THROTTLED, r"too many requests|\bthrottled\b"),
)
"""Only the first line of the service's message: what follows it may quote anybody's log."""
_BY_TEXT: Final = (
    (Cause.OUT_OF_MEMORY, r"out of memory|OutOfMemoryError|MemoryError|oom-?kill|exit code:? -?(137|9)\b"),
    (
        Cause.AUTH,
        r"AuthorizationFailed|AuthenticationFailed|AuthorizationPermissionMismatch|40[13] Client Err",
    ),
    (
        Cause.BAD_DATA,
        r"not valid JSON|JSONDecodeError|UnicodeDecodeError|DatasetGenerationError|data file \S+ (does not|has no)|"
        r"a row (needs|must)|No training data",
    ),
    (
        Cause.BAD_PARAMETER,
        r"unrecognized arguments|error: argument |The parameter \S+ is|invalid choice|required: --",
    ),
)
_BY_ROOT: Final = {
    "serviceerror": Cause.PLATFORM,
    "systemerror": Cause.PLATFORM,
    "transienterror": Cause.PLATFORM,
    "azurestorageerror": Cause.PLATFORM,
    "internalservererror": Cause.PLATFORM,
    "serviceinterrupted": Cause.PLATFORM,
}


@dataclass(frozen=True)
class Failure:
    """Why a job failed.

    Attributes:
        cause: what decides whether a new job may succeed.
        step: name of the failed step; empty if no step of the job failed.
        message: the service's own words, masked, on one line.
        lines: the end of the step's log, masked.
    """

    cause: Cause
    step: str
    message: str
    lines: tuple[str, ...] = ()

    def error(self, job_name: str) -> JobFailed:
        """The error to raise: what failed, why, the cure, and the last lines."""
        return FAILURES[self.cause](f"The job {job_name!r} has failed: {self}")

    def __str__(self) -> str:
        where = f"its step {self.step!r}" if self.step else "no step of it"
        last = "\n".join(self.lines)
        why = f"{where} failed: {self.message} (cause: {self.cause}); {CURES[self.cause]}."
        return why + (f"\nIts last lines:\n{last}" if last else "")


def failure(error: Any, step: str, lines: list[str]) -> Failure:
    """Classify a failure.

    Args:
        error: ``RootError`` of run history; ``None`` if the run has none.
        step: name of the failed step.
        lines: the end of its log.
    """
    told = str(getattr(error, "message", None) or "")
    message = reason_of(error) if error is not None else "the service gives no reason"
    shown = tuple(masked(line) for line in lines)
    return Failure(cause_of(list(_codes(error)), told, lines), step, message, shown)


def cause_of(codes: list[str], message: str, lines: list[str] | None = None) -> Cause:
    """The cause of a failure; ``unknown`` if nothing tells.

    Only what the service itself says can make a failure one that is tried again, and paid again: the lines
    of the log are looked at for the other causes alone.
    """
    headline = message.strip().split("\n", 1)[0]
    for rules, texts in (
        (_BY_CODE, codes),
        (_BY_HEADLINE, [headline]),
        (_BY_TEXT, [message, *(lines or [])]),
    ):
        for cause, pattern in rules:
            if any(re.search(pattern, text, re.IGNORECASE) for text in texts):
                return cause
    return next((_BY_ROOT[code.lower()] for code in codes if code.lower() in _BY_ROOT), Cause.UNKNOWN)


def _codes(error: Any) -> Iterator[str]:
    """Every code of an error, outermost first."""
    while error is not None:
        for code in (getattr(error, "code", None), getattr(error, "reference_code", None)):
            if code:
                yield str(code)
        for detail in getattr(error, "details", None) or []:
            yield from _codes(detail)
        error = getattr(error, "inner_error", None)
