"""Waiting for the service's long operations, with an end."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from azure_ml.backoff import jittered
from azure_ml.errors import OperationTimeout
from azure_ml.hook._translate import translated

if TYPE_CHECKING:
    from azure.core.polling import LROPoller

T = TypeVar("T")

# ``jobs.stream`` of the SDK reads its shortest interval from this variable.
INTERVAL_VARIABLE: Final = "AZUREML_RUN_POLLING_INTERVAL_MIN"


def interval_seconds() -> float:
    """Pause between two checks of something under way."""
    return float(os.environ.get(INTERVAL_VARIABLE, "5"))


def pauses(
    action: str, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Yield, pause, yield again, until the time is over; then raises :class:`OperationTimeout`."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        yield
        if time.monotonic() > deadline:
            raise _timeout(action, timeout_seconds)
        sleep(jittered(interval_seconds()))


def finish(poller: LROPoller[T], action: str, timeout_seconds: float) -> T:
    """The result of one of the SDK's pollers; raises as :func:`translated` and :func:`pauses`."""
    # The SDK prints a dot for each poll, which the task log can do without.
    with translated(action, operation=True), contextlib.redirect_stdout(io.StringIO()):
        poller.wait(timeout_seconds)
        if poller.done():
            return poller.result()
    raise _timeout(action, timeout_seconds)


def _timeout(action: str, seconds: float) -> OperationTimeout:
    return OperationTimeout(
        f"Cannot {action}: it has not ended within {seconds:.0f} seconds; "
        "look at it in Azure ML Studio, or allow it more time."
    )
