"""A service whose deployments run the stand-in, and a way to deploy and ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)

from tests.azureml_service import (
    ROOT,
    AzureMLLocal,
    running,
)

ENVIRONMENT = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112"
STANDIN = ROOT / "tests" / "azureml_local" / "serving_standin.py"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLLocal]:
    """A service of its own, whose deployments run the stand-in."""
    with running(tmp_path_factory.mktemp("azureml"), AZUREML_LOCAL_SERVING_SCRIPT=str(STANDIN)) as found:
        yield found


@pytest.fixture(scope="module")
def client(service: AzureMLLocal) -> MLClient:
    """The SDK's client."""
    return service.ml_client()


@pytest.fixture(scope="module")
def model(client: MLClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Id of a registered model."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "MLmodel").write_text("flavors: {}\n")
    return str(
        client.models.create_or_update(
            Model(name="tiny", version="1", path=str(folder), type="custom_model")
        ).id
    )


@pytest.fixture
def endpoint(client: MLClient, request: pytest.FixtureRequest) -> Iterator[str]:
    """Name of a fresh endpoint, deleted in the end."""
    name = f"ep-{time.time_ns() % 10**12}"
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    yield name
    client.online_endpoints.begin_delete(name).result()


@pytest.fixture
def deploy(client: MLClient, model: str, endpoint: str) -> Callable[..., Any]:
    """Deploys the model under a name and waits."""

    def begin(name: str, **settings: Any) -> Any:
        settings = {"instance_type": "Standard_DS3_v2", "instance_count": 1, **settings}
        environment = {"NAME": name, **settings.pop("environment_variables", {})}
        deployment = ManagedOnlineDeployment(
            name=name,
            endpoint_name=endpoint,
            model=model,
            environment=ENVIRONMENT,
            environment_variables=environment,
            **settings,
        )
        return client.online_deployments.begin_create_or_update(deployment).result()

    return begin


def set_traffic(client: MLClient, name: str, **traffic: int) -> None:
    """Split the endpoint's traffic."""
    found = client.online_endpoints.get(name)
    found.traffic = dict(traffic)
    client.online_endpoints.begin_create_or_update(found).result()


def score(client: MLClient, service: AzureMLLocal, name: str, body: Any, **headers: str) -> httpx.Response:
    """Ask an endpoint with its key."""
    key = client.online_endpoints.get_keys(name).primary_key
    return service.http.post(
        f"/inference/{name}/score", json=body, headers={"Authorization": f"Bearer {key}", **headers}
    )
