"""A service on which anything may be tried: no job runs, no deployment starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.azureml_service import AzureMLLocal, running

_PLENTY = {"bucket": 1_000_000, "refill": 100_000}


@contextmanager
def careful(home: Path) -> Iterator[AzureMLLocal]:
    """A service of one's own, without throttling, in which jobs and deployments stay where they begin."""
    with running(home) as service:
        service.post("/_local/limits", dict.fromkeys(("reads", "writes", "deletes"), _PLENTY))
        for noun in ("jobs", "onlineDeployments"):
            service.post("/_local/time", {"policy": "manual", "noun": noun})
        yield service
