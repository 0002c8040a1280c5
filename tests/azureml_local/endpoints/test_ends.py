"""How deployments end: deleted, with the service, by a failure, or while they hang."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.azureml_local.endpoints.conftest import ENVIRONMENT, STANDIN, score
from tests.azureml_service import (
    AzureMLLocal,
    free_port,
    read_environment,
    start_azureml_local,
    stop_azureml_local,
)


def test_deleting_an_endpoint_ends_its_processes(client: MLClient, service: AzureMLLocal, model: str) -> None:
    client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name="short-lived", auth_mode="key")
    ).result()
    deployment = ManagedOnlineDeployment(
        name="demo",
        endpoint_name="short-lived",
        model=model,
        environment=ENVIRONMENT,
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    client.online_deployments.begin_create_or_update(deployment).result()
    assert len(servers_of(service)) == 1
    client.online_endpoints.begin_delete("short-lived").result()
    assert servers_of(service) == []
    with pytest.raises(ResourceNotFoundError):
        client.online_endpoints.get("short-lived")


def servers_of(service: AzureMLLocal) -> list[int]:
    """Process ids of the stand-ins below a service, their guards left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
            inside = os.readlink(folder / "cwd").startswith(str(service.home))
        except OSError:
            continue
        if (
            inside
            and str(STANDIN) in words
            and "--port" in words
            and not any("guard.py" in word for word in words)
        ):
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_deployments_end_with_the_service_and_come_back_with_it(
    tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    process = start_azureml_local(tmp_path, port, AZUREML_LOCAL_SERVING_SCRIPT=str(STANDIN))
    environment = read_environment(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    service = AzureMLLocal(f"https://localhost:{port}", tmp_path, environment)
    client = service.ml_client()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    known = client.models.create_or_update(
        Model(name="tiny", version="1", path=str(tmp_path / "model"), type="custom_model")
    )
    client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name="lasting", auth_mode="key")
    ).result()
    deployment = ManagedOnlineDeployment(
        name="demo",
        endpoint_name="lasting",
        model=known.id,
        environment=ENVIRONMENT,
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    client.online_deployments.begin_create_or_update(deployment).result()
    process.send_signal(number)
    process.wait(15)
    deadline = time.monotonic() + 10
    while servers_of(service):
        assert time.monotonic() < deadline, "a server outlived the service"
    process = start_azureml_local(tmp_path, port, AZUREML_LOCAL_SERVING_SCRIPT=str(STANDIN))
    try:
        header = {"azureml-model-deployment": "demo"}
        deadline = time.monotonic() + 20
        while score(client, service, "lasting", {}, **header).status_code != 200:
            assert time.monotonic() < deadline, "the deployment did not come back"
    finally:
        stop_azureml_local(process)


def test_an_injected_failure_fails_the_operation(
    service: AzureMLLocal, client: MLClient, deploy: Callable[..., Any], endpoint: str
) -> None:
    fault = {
        "kind": "operation_failed",
        "resource": "onlineDeployments",
        "code": "OutOfQuota",
        "message": "No cores.",
    }
    with service.faults(fault), pytest.raises(HttpResponseError, match="No cores") as refused:
        deploy("demo")
    assert refused.value.error is not None
    assert refused.value.error.code == "OutOfQuota"
    assert client.online_deployments.get("demo", endpoint).provisioning_state == "Failed"


def test_an_endpoint_can_be_deleted_while_its_deployment_hangs(
    service: AzureMLLocal, client: MLClient, model: str, endpoint: str
) -> None:
    deployment = ManagedOnlineDeployment(
        name="demo",
        endpoint_name=endpoint,
        model=model,
        environment=ENVIRONMENT,
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    with service.faults({"kind": "operation_stuck", "resource": "onlineDeployments"}):
        client.online_deployments.begin_create_or_update(deployment)
    with pytest.raises(HttpResponseError, match="going on"):
        client.online_deployments.begin_create_or_update(deployment)
    client.online_endpoints.begin_delete(endpoint).result()
    with pytest.raises(ResourceNotFoundError):
        client.online_endpoints.get(endpoint)
