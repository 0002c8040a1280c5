"""How deployments end: deleted, with the service, by a failure, or while they hang."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import ManagedOnlineEndpoint
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.support.azureml_service import AzureMLLocal, running
from tests.support.serving_service import STANDIN, deployment_of, score, servers_of, tiny_model
from tests.support.waiting import wait_for


def test_deleting_an_endpoint_ends_its_processes(client: MLClient, service: AzureMLLocal, model: str) -> None:
    client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name="short-lived", auth_mode="key")
    ).result()
    deployment = deployment_of(model, "short-lived")
    client.online_deployments.begin_create_or_update(deployment).result()
    assert len(standins_of(service)) == 1
    client.online_endpoints.begin_delete("short-lived").result()
    assert standins_of(service) == []
    with pytest.raises(ResourceNotFoundError):
        client.online_endpoints.get("short-lived")


def standins_of(service: AzureMLLocal) -> list[int]:
    """Process ids of the stand-ins."""
    return servers_of(service, str(STANDIN), "--port")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_deployments_end_with_the_service_and_come_back_with_it(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "model").mkdir()
    with running(tmp_path, AZUREML_LOCAL_SERVING_SCRIPT=str(STANDIN)) as service:
        client = service.ml_client()
        model = tiny_model(client, tmp_path / "model")
        client.online_endpoints.begin_create_or_update(
            ManagedOnlineEndpoint(name="lasting", auth_mode="key")
        ).result()
        deployment = deployment_of(model, "lasting")
        client.online_deployments.begin_create_or_update(deployment).result()
        service.kill(number)
        wait_for(lambda: not standins_of(service), 10, "a server outlived the service")
        service.start_again()
        header = {"azureml-model-deployment": "demo"}
        wait_for(lambda: score(client, service, "lasting", {}, **header).status_code == 200, 20)


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
    deployment = deployment_of(model, endpoint)
    with service.faults({"kind": "operation_stuck", "resource": "onlineDeployments"}):
        client.online_deployments.begin_create_or_update(deployment)
    with pytest.raises(HttpResponseError, match="going on"):
        client.online_deployments.begin_create_or_update(deployment)
    client.online_endpoints.begin_delete(endpoint).result()
    with pytest.raises(ResourceNotFoundError):
        client.online_endpoints.get(endpoint)
