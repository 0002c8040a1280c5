"""Plain HTTP for what the SDK has no call for: a client that repeats reads."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import tenacity

from azure_ml.backoff import ATTEMPTS, REPEATED, pause_seconds


# Only requests that change nothing may be sent through it.
class RetryingClient(httpx.Client):
    """An ``httpx.Client`` for reads, which it repeats after 429, 5xx and lost connections, up to six times."""

    def __init__(
        self,
        *,
        pause: Callable[[float], None] = time.sleep,
        base_url: str = "",
        headers: dict[str, str] | None = None,
        verify: str | bool = True,
    ) -> None:
        super().__init__(base_url=base_url, headers=headers, verify=verify, timeout=60)
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=_wait,
            sleep=pause,
            retry=tenacity.retry_if_exception_type(httpx.TransportError)
            | tenacity.retry_if_result(lambda answer: answer.status_code in REPEATED),
            retry_error_callback=_last_outcome,
        )

    def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: httpx._types.AuthTypes | httpx._client.UseClientDefault | None = httpx.USE_CLIENT_DEFAULT,
        follow_redirects: bool | httpx._client.UseClientDefault = httpx.USE_CLIENT_DEFAULT,
    ) -> httpx.Response:
        """Send, and send again."""
        answer: httpx.Response = self._retrying(
            super().send, request, stream=stream, auth=auth, follow_redirects=follow_redirects
        )
        return answer


def _wait(state: tenacity.RetryCallState) -> float:
    outcome = state.outcome
    answer = None if outcome is None or outcome.failed else outcome.result()
    return pause_seconds(answer, state.attempt_number)


def _last_outcome(state: tenacity.RetryCallState) -> httpx.Response:
    """The last answer; raises the last failure."""
    if state.outcome is None:
        raise RuntimeError("A request was given up before it was sent.")
    answer: httpx.Response = state.outcome.result()
    return answer
