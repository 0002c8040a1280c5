"""Plain HTTP for what the SDK has no call for: a client that repeats what may be repeated."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import httpx
import tenacity

ATTEMPTS: Final = 6
MAX_WAIT_SECONDS: Final = 60.0
REPEATED: Final = (408, 429, 500, 502, 503, 504)
"""Statuses after which a request is sent again: those of azure-core's own policy."""


class RetryingClient(httpx.Client):
    """An ``httpx.Client`` for reads: after 429, 5xx and lost connections it asks again, up to six times.

    It waits as long as ``Retry-After`` says (at most a minute), else twice as long each time. Only requests
    that change nothing may be sent through it.

    Args:
        pause: how to wait, in seconds.
        **kwargs: of ``httpx.Client``.
    """

    def __init__(self, *, pause: Callable[[float], None] = time.sleep, **kwargs: Any) -> None:
        super().__init__(**{"timeout": 60, **kwargs})
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=_wait,
            sleep=pause,
            retry=tenacity.retry_if_exception_type(httpx.TransportError)
            | tenacity.retry_if_result(lambda answer: answer.status_code in REPEATED),
            retry_error_callback=_last,
        )

    def send(self, request: httpx.Request, **kwargs: Any) -> httpx.Response:
        """Send, and send again."""
        answer: httpx.Response = self._retrying(super().send, request, **kwargs)
        return answer


def pause_seconds(answer: httpx.Response | None, attempt: int) -> float:
    """How long to wait before asking again: as ``Retry-After`` says, else twice as long each time, at most a minute.

    Args:
        answer: to the last attempt; ``None`` if there was none.
        attempt: its number, from 1.
    """
    told = answer.headers.get("Retry-After", "") if answer is not None else ""
    # Azure writes seconds; a date is not worth a parser here, and waits as if nothing had been said.
    seconds = float(told) if told.isdigit() else float(2 ** (attempt - 1))
    return min(seconds, MAX_WAIT_SECONDS)


def _wait(state: tenacity.RetryCallState) -> float:
    outcome = state.outcome
    answer = None if outcome is None or outcome.failed else outcome.result()
    return pause_seconds(answer, state.attempt_number)


def _last(state: tenacity.RetryCallState) -> httpx.Response:
    """The last answer, or the last failure, as it is."""
    if state.outcome is None:
        raise RuntimeError("A request was given up before it was sent.")
    answer: httpx.Response = state.outcome.result()
    return answer
