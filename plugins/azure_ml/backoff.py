"""How long to wait before a request is sent again, and after how many failures to give up."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Final, Protocol

from azure_ml.errors import AuthFailed, AzureMLError, NoRetry

ATTEMPTS: Final = 6
MAX_WAIT_SECONDS: Final = 60.0
REPEATED: Final = (408, 429, 500, 502, 503, 504)  # as azure-core's own policy
MAX_FAILURES: Final = 10
MAX_LOGINS: Final = 2


def jittered(seconds: float) -> float:
    """A pause with 20 % of jitter, so that tasks that began together do not ask together."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311


class Answer(Protocol):
    """An HTTP answer, of whatever library."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers by name."""


def pause_seconds(answer: Answer | None, attempt: int) -> float:
    """The pause after so many attempts, at most a minute: as ``Retry-After`` says, else doubled each time."""
    retry_after = "" if answer is None else answer.headers.get("Retry-After", "")
    # Azure writes seconds; a date is not worth a parser here and counts as no header.
    seconds = float(retry_after) if retry_after.isdigit() else float(2 ** (attempt - 1))
    return min(seconds, MAX_WAIT_SECONDS)


class FailureBudget:
    """How many checks in a row may fail before waiting makes no sense any more."""

    def __init__(self) -> None:
        self.failures = self._logins = 0

    def reset(self) -> None:
        """A check succeeded."""
        self.failures = self._logins = 0

    def is_spent_by(self, error: AzureMLError) -> bool:
        """Count a failed check; after :class:`AuthFailed` the caller has to log in again."""
        self.failures += 1
        # The service revokes tokens, and then a new login helps.
        if isinstance(error, AuthFailed):
            self._logins += 1
            return self._logins > MAX_LOGINS
        return isinstance(error, NoRetry) or self.failures >= MAX_FAILURES
