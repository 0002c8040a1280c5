"""Waiting for the service's long operations, with an end."""

from __future__ import annotations

import contextlib
import io
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import AuthFailed, AzureMLError, NoRetry, OperationTimeout
from azure_ml.hook._translate import translated

if TYPE_CHECKING:
    from azure_ml.hook import AzureMLHook

MAX_FAILED_LOOKS: Final = 10
MAX_LOGINS: Final = 2
INTERVAL_VARIABLE: Final = "AZUREML_RUN_POLLING_INTERVAL_MIN"
"""The variable by which ``jobs.stream`` of the SDK is told its shortest interval; ours is the same."""


def interval_seconds() -> float:
    """Seconds between two looks at something that is under way; 5 unless the environment says otherwise."""
    return float(os.environ.get(INTERVAL_VARIABLE, "5"))


def jittered(seconds: float) -> float:
    """A pause with 20 % of jitter, which keeps many tasks that began together from asking together."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311


def pauses(
    action: str, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Yield, pause, yield again, until the time is over.

    Args:
        action: what is waited for, for the error.
        timeout_seconds: how long.
        sleep: how to pause.

    Raises:
        OperationTimeout: when the time is over.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        yield
        if time.monotonic() > deadline:
            raise OperationTimeout(
                f"Cannot {action}: it has not ended within {timeout_seconds:.0f} seconds; "
                "look at it in Azure ML Studio, or allow it more time."
            )
        sleep(jittered(interval_seconds()))


def finish(poller: Any, action: str, timeout_seconds: float) -> Any:
    """The result of one of the SDK's pollers.

    Raises:
        OperationTimeout: if it takes longer than ``timeout_seconds``.
        OperationFailed, QuotaExceeded and others: if the operation failed.
    """
    # The SDK prints a dot for each poll; a task log is better off without.
    with translated(action, operation=True), contextlib.redirect_stdout(io.StringIO()):
        poller.wait(timeout_seconds)
        if poller.done():
            return poller.result()
    raise OperationTimeout(
        f"Cannot {action}: it has not ended within {timeout_seconds:.0f} seconds; "
        "look at it in Azure ML Studio, or allow it more time."
    )


class Patience:
    """Counts the looks in a row that failed, and tells when waiting makes no sense any more.

    A refused login counts apart: tokens are revoked, and then a new one helps, but at most twice in a row.
    """

    def __init__(self) -> None:
        self.failed_looks = 0
        self._logins = 0

    def restored(self) -> None:
        """A look has succeeded."""
        self.failed_looks = self._logins = 0

    def is_over(self, error: AzureMLError, hook: AzureMLHook | None) -> bool:
        """Count a failed look; the hook logs in anew where that may help. A connection not read leaves none."""
        self.failed_looks += 1
        if isinstance(error, AuthFailed):
            if hook is not None:
                hook.renew()
            self._logins += 1
            return self._logins > MAX_LOGINS
        return isinstance(error, NoRetry) or self.failed_looks >= MAX_FAILED_LOOKS
