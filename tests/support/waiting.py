"""Waiting for what another process does, without a pause of a fixed length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Job

T = TypeVar("T")

FINAL = ("Completed", "Failed", "Canceled", "NotResponding")
"""States in which a job stays."""


def wait_for(what: Callable[[], T], seconds: float = 30, problem: str = "") -> T:
    """The first true answer of ``what``; fails with the problem if there is none within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, problem or f"it did not come true within {seconds} s"
        time.sleep(0.05)
    return answer


def finished(client: MLClient, name: str, seconds: float = 60) -> Job:
    """The job, once it is in a final state."""
    wait_for(lambda: client.jobs.get(name).status in FINAL, seconds)
    return client.jobs.get(name)
