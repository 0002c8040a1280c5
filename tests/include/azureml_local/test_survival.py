"""Killed at any moment and started again, the service has all that it confirmed, and owns up to the rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.azureml_service import AzureMLLocal, running

ENVIRONMENT = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112"
FINAL = ("Completed", "Failed", "Canceled")


def compute(nodes: int) -> dict[str, Any]:
    inner = {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": nodes}}
    return {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": inner}}


def job(command: str) -> dict[str, Any]:
    return {
        "properties": {
            "jobType": "Command",
            "command": command,
            "environmentId": ENVIRONMENT,
            "computeId": "cluster",
        }
    }


DATA = {"properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}}
STEPS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("PUT", "/data/kept/versions/1", DATA),
    ("PUT", "/computes/cluster", compute(2)),
    ("PUT", "/jobs/quick", job("echo done")),
    ("PUT", "/jobs/slow", job("sleep 600")),
    ("PUT", "/data/kept/versions/2", DATA),
    ("PUT", "/computes/other", compute(1)),
    ("DELETE", "/computes/other", None),
    ("DELETE", "/data/kept/versions/1", None),
]


def work(service: AzureMLLocal, confirm: Callable[[str, str], None], last: int) -> None:
    """Send the steps up to ``last``, each confirmed before the next."""
    for method, path, body in STEPS[: last + 1]:
        answer = service.arm(method, path, json=body)
        # An operation on the same compute may still be under way.
        deadline = time.monotonic() + 20
        while answer.status_code == 409 and time.monotonic() < deadline:
            time.sleep(0.05)
            answer = service.arm(method, path, json=body)
        assert answer.is_success, answer.text
        confirm(method, path)


@pytest.mark.parametrize("last", range(len(STEPS)), ids=[f"{step[0]} {step[1]}" for step in STEPS])
def test_a_kill_after_any_step_loses_nothing_that_was_confirmed(tmp_path: Path, last: int) -> None:
    there: dict[str, bool] = {}
    with running(tmp_path / "home") as service:
        work(service, lambda method, path: there.update({path: method == "PUT"}), last)
        service.kill()
        service.start_again()
        for path, exists in there.items():
            assert_settled(service, path, exists)
        settled = httpx.codes.OK, httpx.codes.CREATED
        assert service.arm("PUT", "/data/new/versions/1", json=DATA).status_code in settled


def assert_settled(service: AzureMLLocal, path: str, exists: bool) -> None:
    """The resource is there, or is gone; what was under way comes to its end."""
    deadline = time.monotonic() + 20
    while True:
        answer = service.arm("GET", path)
        properties = answer.json().get("properties") or {}
        if answer.status_code == 404 and not exists:
            return
        if exists and answer.status_code == 200:
            state = properties.get("provisioningState", "Succeeded")
            if path.startswith("/jobs/"):
                assert properties["status"] in FINAL
                assert path != "/jobs/slow" or properties["status"] == "Failed"
            if state == "Succeeded":
                return
        assert time.monotonic() < deadline, f"{path}: {answer.status_code} {answer.text}"
        time.sleep(0.05)


def test_a_job_that_was_cut_off_says_why(tmp_path: Path) -> None:
    with running(tmp_path / "home") as service:
        service.arm("PUT", "/computes/cluster", json=compute(1))
        service.arm("PUT", "/jobs/slow", json=job("sleep 600"))
        service.kill()
        service.start_again()
        scope = service.arm("GET", "").json()["id"]
        answer = service.http.get(f"/history/v1.0{scope}/runs/slow/details", headers=service.token())
        assert answer.json()["status"] == "Failed"
        assert answer.json()["error"]["error"]["code"] == "ServiceInterrupted"


def test_tokens_that_were_revoked_stay_so_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path / "home") as service:
        held = service.token()
        service.post("/_local/tokens", {"revoke": True})
        assert statuses(service, held) == [401, 200]
        service.kill()
        service.start_again()
        assert statuses(service, held) == [401, 200]


def statuses(service: AzureMLLocal, held: dict[str, str]) -> list[int]:
    """What a token of before and a fresh one are answered."""
    scope = service.arm("GET", "").json()["id"]
    query = {"api-version": "2024-10-01-preview"}
    return [
        service.http.get(scope, params=query, headers=headers).status_code
        for headers in (held, service.token())
    ]
