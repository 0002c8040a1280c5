"""A service that is killed ends its deployments' processes, and brings all instances back when it starts."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml.entities import ManagedOnlineEndpoint
from azure.core.exceptions import HttpResponseError

from tests.azureml_local.serving_service import Serving, serving
from tests.azureml_service import start_azureml_local, stop_azureml_local


def instances(here: Serving) -> list[int]:
    """Process ids of the scoring servers below the service's folder, their guards left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
            inside = os.readlink(folder / "cwd").startswith(str(here.service.home))
        except OSError:
            continue
        if inside and "--scoring-script" in words and not any("guard.py" in word for word in words):
            found.append(int(folder.name))
    return found


def answers(here: Serving, endpoint: str, key: dict[str, str]) -> dict[str, Any]:
    """The first answer of an endpoint whose service has been started again."""
    deadline = time.monotonic() + 30
    while (
        answer := here.service.http.post(f"/inference/{endpoint}/score", json={}, headers=key)
    ).status_code != 200:
        assert time.monotonic() < deadline, f"the deployment did not come back: {answer.text}"
    return dict(answer.json())


def test_after_an_update_that_failed_the_old_version_comes_back(tmp_path: Path) -> None:
    with serving(tmp_path / "home", sys.executable) as here:
        endpoint = "steadfast"
        made = ManagedOnlineEndpoint(name=endpoint, auth_mode="key")
        here.client.online_endpoints.begin_create_or_update(made).result()
        here.deploy(endpoint, "demo", variables={"NAME": "old"})
        here.traffic(endpoint, demo=100)
        key = here.key(endpoint)
        with pytest.raises(HttpResponseError, match="not those of this model"):
            here.deploy(endpoint, "demo", variables={"NAME": "new", "CRASH": "1"})
        assert answers(here, endpoint, key)["name"] == "old"
        here.kill()
        again = start_azureml_local(
            here.service.home, here.service.port, AZUREML_LOCAL_COMPUTE_PYTHON=sys.executable
        )
        try:
            assert answers(here, endpoint, key)["name"] == "old"
            path = f"/onlineEndpoints/{endpoint}/deployments/demo"
            told = here.service.arm("GET", path, version="2023-04-01-preview").json()
            assert told["properties"]["provisioningState"] == "Failed"
        finally:
            stop_azureml_local(again)


def test_two_instances_of_a_script_end_with_a_killed_service_and_come_back(tmp_path: Path) -> None:
    with serving(tmp_path / "home", sys.executable) as here:
        endpoint = "lasting"
        made = ManagedOnlineEndpoint(name=endpoint, auth_mode="key")
        here.client.online_endpoints.begin_create_or_update(made).result()
        here.deploy(endpoint, "demo", instance_count=2)
        here.traffic(endpoint, demo=100)
        key = here.key(endpoint)
        assert len(instances(here)) == 2
        here.kill()
        deadline = time.monotonic() + 15
        while instances(here):
            assert time.monotonic() < deadline, "an instance outlived the service"
        again = start_azureml_local(
            here.service.home, here.service.port, AZUREML_LOCAL_COMPUTE_PYTHON=sys.executable
        )
        try:
            deadline = time.monotonic() + 30
            url = f"/inference/{endpoint}/score"
            while here.service.http.post(url, json={}, headers=key).status_code != 200:
                assert time.monotonic() < deadline, "the deployment did not come back"
            pids = {here.service.http.post(url, json={}, headers=key).json()["pid"] for _ in range(6)}
            assert pids == set(instances(here))
            assert len(pids) == 2
        finally:
            stop_azureml_local(again)
