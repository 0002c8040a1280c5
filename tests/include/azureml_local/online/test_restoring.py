"""What a service brings back after its end gives way to what its owner does in the meantime."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import ManagedOnlineEndpoint
from azure.core.exceptions import ResourceNotFoundError

from tests.support.azureml_service import AzureMLLocal, running
from tests.support.serving_service import STANDIN, deployment_of, score, servers_of, tiny_model


@pytest.fixture
def coming_back(tmp_path: Path) -> Iterator[tuple[AzureMLLocal, MLClient, str]]:
    """A service that was killed and started again, whose deployment loads its model and does not come up."""
    (tmp_path / "model").mkdir()
    gate = tmp_path / "gate"
    gate.touch()
    with running(tmp_path / "home", AZUREML_LOCAL_SERVING_SCRIPT=str(STANDIN)) as service:
        client = service.ml_client()
        model = tiny_model(client, tmp_path / "model")
        made = ManagedOnlineEndpoint(name="returning", auth_mode="key")
        client.online_endpoints.begin_create_or_update(made).result()
        old = deployment_of(model, "returning", environment_variables={"NAME": "old", "GATE": str(gate)})
        client.online_deployments.begin_create_or_update(old).result()
        gate.unlink()
        service.kill()
        service.start_again()
        deadline = time.monotonic() + 20
        while not standins_of(service):
            assert time.monotonic() < deadline, "the deployment is not started again"
        yield service, client, model


def standins_of(service: AzureMLLocal) -> list[int]:
    """Process ids of the stand-ins."""
    return servers_of(service, str(STANDIN), "--port")


def test_a_deployment_that_comes_back_ends_with_its_endpoint(
    coming_back: tuple[AzureMLLocal, MLClient, str],
) -> None:
    service, client, _ = coming_back
    client.online_endpoints.begin_delete("returning").result()
    assert standins_of(service) == []
    with pytest.raises(ResourceNotFoundError):
        client.online_endpoints.get("returning")


def test_a_deployment_that_comes_back_does_not_take_the_place_of_its_update(
    coming_back: tuple[AzureMLLocal, MLClient, str],
) -> None:
    service, client, model = coming_back
    new = deployment_of(model, "returning", environment_variables={"NAME": "new"})
    client.online_deployments.begin_create_or_update(new).result()
    assert len(standins_of(service)) == 1
    answer = score(client, service, "returning", {}, **{"azureml-model-deployment": "demo"})
    assert answer.json()["name"] == "new"
