"""Many jobs that wait: the service ends, restarts and forgets them in seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.support.azureml_service import AzureMLLocal, running

JOBS = 400
SECONDS = 6.0
"""What an end of them all may take; one after another, with a process for each, they take three times that."""
JOB = {"jobType": "Command", "command": "sleep 600", "environmentId": "azureml:bench:1", "computeId": "few"}
COMPUTE = {
    "location": "eastus",
    "properties": {
        "computeType": "AmlCompute",
        "properties": {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 1}},
    },
}
PLENTY = {"bucket": 100_000, "refill": 10_000}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLLocal]:
    """A service of its own, whose throttling lets all jobs in."""
    with running(tmp_path_factory.mktemp("home")) as found:
        found.post("/_local/limits", {"reads": PLENTY, "writes": PLENTY})
        yield found


@pytest.fixture(autouse=True)
def jobs(service: AzureMLLocal) -> None:
    """Jobs of which one runs and all others wait for its node."""
    service.arm("PUT", "/computes/few", json=COMPUTE).raise_for_status()
    scope, headers = service.arm("GET", "").json()["id"], service.token()
    for number in range(JOBS):
        url = f"{scope}/jobs/waiting-{number}?api-version=2024-01-01-preview"
        service.http.put(url, json={"properties": JOB}, headers=headers).raise_for_status()


def status(service: AzureMLLocal) -> str:
    return str(service.arm("GET", f"/jobs/waiting-{JOBS - 1}").json()["properties"]["status"])


def test_a_restart_fails_them_all(service: AzureMLLocal) -> None:
    assert status(service) == "Queued"
    service.kill()
    service.start_again()
    assert status(service) == "Failed"
    service.post("/_local/reset")


def test_a_reset_does_not_start_them_one_after_another(service: AzureMLLocal) -> None:
    began = time.monotonic()
    service.post("/_local/reset")
    assert time.monotonic() - began < SECONDS
    assert service.arm("GET", "/jobs").json()["value"] == []
