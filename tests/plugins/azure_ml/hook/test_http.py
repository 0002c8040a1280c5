"""What a stumbling service says about when to come again is kept, by the SDK's calls and by ours."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from azure_ml.backoff import ATTEMPTS
from azure_ml.hook import AzureMLHook
from azure_ml.hook._http import RetryingClient
from tests.support.azureml_service import AzureMLLocal

STUMBLES = [
    {"kind": "status", "status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "1"}},
    {"kind": "status", "status": 503, "code": "ServerBusy", "headers": {"Retry-After": "1"}},
    {"kind": "status", "status": 500},
    {"kind": "reset"},
    {"kind": "lost_response"},
]


def client(azureml_local: AzureMLLocal, pauses: list[float]) -> RetryingClient:
    return RetryingClient(
        pause=pauses.append,
        base_url=azureml_local.base_url,
        verify=str(azureml_local.home / "ca.pem"),
        headers=azureml_local.token(),
    )


def path(azureml_local: AzureMLLocal) -> str:
    return f"{azureml_local.arm('GET', '').json()['id']}/computes?api-version=2023-08-01-preview"


@pytest.mark.parametrize("fault", STUMBLES)
def test_a_read_of_ours_is_repeated(azureml_local: AzureMLLocal, fault: dict[str, Any]) -> None:
    pauses: list[float] = []
    url = path(azureml_local)
    with azureml_local.faults(fault | {"path": "*/computes", "count": 2}):
        answer = client(azureml_local, pauses).get(url)
    assert answer.status_code == 200
    assert pauses == ([1.0, 1.0] if "headers" in fault else [1.0, 2.0])


def test_a_wait_of_an_hour_is_not_obeyed(azureml_local: AzureMLLocal) -> None:
    pauses: list[float] = []
    url = path(azureml_local)
    fault = {"kind": "status", "status": 429, "path": "*/computes", "headers": {"Retry-After": "3600"}}
    with azureml_local.faults(fault):
        client(azureml_local, pauses).get(url)
    assert pauses == [60.0]


def test_what_does_not_pass_is_given_back_in_the_end(azureml_local: AzureMLLocal) -> None:
    pauses: list[float] = []
    url = path(azureml_local)
    with azureml_local.faults({"kind": "status", "status": 503, "path": "*/computes", "count": None}):
        answer = client(azureml_local, pauses).get(url)
    assert answer.status_code == 503
    assert len(pauses) == ATTEMPTS - 1
    with (
        azureml_local.faults({"kind": "reset", "path": "*/computes", "count": None}),
        pytest.raises(httpx.TransportError),
    ):
        client(azureml_local, pauses).get(url)


def test_a_refusal_is_not_repeated(azureml_local: AzureMLLocal) -> None:
    pauses: list[float] = []
    assert client(azureml_local, pauses).get("/nowhere").status_code >= 400
    assert pauses == []


@pytest.mark.parametrize("fault", STUMBLES)
@pytest.mark.parametrize("plane", ["jobs", "history"])
def test_the_sdk_repeats_its_calls_and_waits_as_told(
    azureml_local: AzureMLLocal, hook: AzureMLHook, command_job: Any, plane: str, fault: dict[str, Any]
) -> None:
    name = command_job("import time; time.sleep(600)")
    hook.jobs.status(name)
    meets = {"path": f"*/jobs/{name}" if plane == "jobs" else f"*/runs/{name}/children", "count": 1}
    begin = time.monotonic()
    with azureml_local.faults(fault | meets):
        if plane == "jobs":
            assert hook.jobs.status(name)
        else:
            assert hook.history.steps(name) == []
        assert azureml_local.http.get("/_local/faults").json()["value"] == []
    if "headers" in fault:
        assert time.monotonic() - begin >= 1
