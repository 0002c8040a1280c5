"""A service whose deployments run the stand-in, and a way to deploy and ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.ai.ml import MLClient

from tests.support.azureml_service import AzureMLLocal, running
from tests.support.serving_service import STANDIN, deployment_of, fresh_endpoint, tiny_model


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
    return tiny_model(client, tmp_path_factory.mktemp("model"))


@pytest.fixture
def endpoint(client: MLClient) -> Iterator[str]:
    """Name of a fresh endpoint, deleted in the end."""
    with fresh_endpoint(client) as name:
        yield name


@pytest.fixture
def deploy(client: MLClient, model: str, endpoint: str) -> Callable[..., Any]:
    """Deploys the model under a name and waits."""

    def begin(name: str, **settings: Any) -> Any:
        deployment = deployment_of(model, endpoint, name, **settings)
        return client.online_deployments.begin_create_or_update(deployment).result()

    return begin
