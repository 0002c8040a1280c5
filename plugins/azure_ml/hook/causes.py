"""How the words of a failure reveal its cause."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from azure_ml.errors import Cause

# Sources: ``RootError`` and ``InnerErrorResponse`` of the published run-history contract, whose documented codes
# are ServiceError, UserError, ValidationError, AzureStorageError, TransientError and RequestThrottled; and the
# codes that Azure Compute documents for allocations.
Rules = tuple[tuple[Cause, str], ...]

QUOTA: Final = r"quota|core limit"
DISK_FULL: Final = r"no space left on device|disk quota exceeded|\bENOSPC\b"
CAPACITY: Final = r"AllocationFailed|OutOfCapacity|SkuNotAvailable|(not enough|out of) capacity"

_BY_CODE: Final[Rules] = (
    (Cause.PREEMPTION, r"preempt|evict"),
    (Cause.QUOTA, QUOTA),
    (Cause.CAPACITY, r"allocation|capacity|SkuNotAvailable|NoNodesAvailable"),
    (Cause.THROTTLED, r"throttl|TooManyRequests"),
    (Cause.OUT_OF_MEMORY, r"out_?of_?memory|OOM"),
    (Cause.AUTH, r"authori[sz]ation|authentication|unauthori[sz]ed|forbidden|credential"),
    (Cause.BAD_DATA, r"data(set)?(not|access|stream|validation|format)"),
    (Cause.BAD_PARAMETER, r"validation|badargument|invalid(parameter|argument|input)"),
)
# Only for the first line of the service's message: what follows it may quote anybody's log.
_BY_HEADLINE: Final[Rules] = (
    (Cause.PREEMPTION, r"\bpreempt|\bevicted\b"),
    (Cause.DISK_FULL, DISK_FULL),
    (Cause.QUOTA, QUOTA),
    (Cause.CAPACITY, r"allocation (failed|timed out)|(insufficient|not enough|out of) capacity"),
    (Cause.THROTTLED, r"too many requests|\bthrottled\b"),
)
# For the message and the log: none of these causes makes a retry pay again.
_BY_TEXT: Final[Rules] = (
    (Cause.OUT_OF_MEMORY, r"out of memory|OutOfMemoryError|MemoryError|oom-?kill|exit code:? -?(137|9)\b"),
    (Cause.DISK_FULL, DISK_FULL),
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
_PLATFORM_CODES: Final = frozenset(
    (
        "serviceerror",
        "systemerror",
        "transienterror",
        "azurestorageerror",
        "internalservererror",
        "serviceinterrupted",
    )
)


def mentions(pattern: str, text: str) -> bool:
    """Whether a pattern occurs in a text, in whatever case."""
    return re.search(pattern, text, re.IGNORECASE) is not None


def cause_of(codes: list[str], message: str, lines: Iterable[str] = ()) -> Cause:
    """The cause of a failure, from the service's codes, outermost first, its message, and the end of the log."""
    # Only what the service itself says can make a failure one that a retry pays for again.
    headline = message.strip().split("\n", 1)[0]
    for rules, texts in ((_BY_CODE, codes), (_BY_HEADLINE, [headline]), (_BY_TEXT, [message, *lines])):
        for cause, pattern in rules:
            if any(mentions(pattern, text) for text in texts):
                return cause
    platform = any(code.lower() in _PLATFORM_CODES for code in codes)
    return Cause.PLATFORM if platform else Cause.UNKNOWN
