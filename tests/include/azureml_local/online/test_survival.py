"""A service that is killed ends its deployments' processes, and brings all instances back when it starts."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml.entities import ManagedOnlineEndpoint
from azure.core.exceptions import HttpResponseError

from tests.support.serving_service import Serving, servers_of, serving
from tests.support.waiting import wait_for


def instances(here: Serving) -> list[int]:
    """Process ids of the scoring servers."""
    return servers_of(here.service, "--scoring-script")


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
        here.service.kill()
        here.service.start_again()
        assert answers(here, endpoint, key)["name"] == "old"
        path = f"/onlineEndpoints/{endpoint}/deployments/demo"
        told = here.service.arm("GET", path, version="2023-04-01-preview").json()
        assert told["properties"]["provisioningState"] == "Failed"


def test_two_instances_of_a_script_end_with_a_killed_service_and_come_back(tmp_path: Path) -> None:
    with serving(tmp_path / "home", sys.executable) as here:
        endpoint = "lasting"
        made = ManagedOnlineEndpoint(name=endpoint, auth_mode="key")
        here.client.online_endpoints.begin_create_or_update(made).result()
        here.deploy(endpoint, "demo", instance_count=2)
        here.traffic(endpoint, demo=100)
        key = here.key(endpoint)
        assert len(instances(here)) == 2
        here.service.kill()
        wait_for(lambda: not instances(here), 15, "an instance outlived the service")
        here.service.start_again()
        answers(here, endpoint, key)
        url = f"/inference/{endpoint}/score"
        pids = {here.service.http.post(url, json={}, headers=key).json()["pid"] for _ in range(6)}
        assert pids == set(instances(here))
        assert len(pids) == 2
