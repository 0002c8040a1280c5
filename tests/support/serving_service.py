"""What the tests of serving share: a service whose deployments run scoring scripts, and a way to deploy."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    CodeConfiguration,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)

from tests.support.azureml_service import ROOT, AzureMLLocal, running

CODE = ROOT / "tests" / "support" / "scoring_code"
ENVIRONMENT = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112"
STANDIN = ROOT / "tests" / "support" / "serving_standin.py"
NUMBERS = itertools.count()
SIZE = "Standard_DS3_v2"
"""Four cores: a deployment of one instance asks for eight."""


@contextlib.contextmanager
def fresh_endpoint(client: MLClient, auth_mode: str = "key") -> Iterator[str]:
    """Name of a fresh endpoint, deleted in the end."""
    name = f"ep-{next(NUMBERS)}-{time.time_ns() % 10**9}"
    client.online_endpoints.begin_create_or_update(
        ManagedOnlineEndpoint(name=name, auth_mode=auth_mode)
    ).result()
    try:
        yield name
    finally:
        client.online_endpoints.begin_delete(name).result()


def set_traffic(
    client: MLClient, endpoint: str, shares: dict[str, int], mirror: dict[str, int] | None = None
) -> None:
    """Split the endpoint's traffic."""
    entity = client.online_endpoints.get(endpoint)
    entity.traffic, entity.mirror_traffic = shares, mirror or {}
    client.online_endpoints.begin_create_or_update(entity).result()


def key_of(client: MLClient, endpoint: str) -> dict[str, str]:
    """Headers with the endpoint's key or token."""
    keys = client.online_endpoints.get_keys(endpoint)
    secret = getattr(keys, "primary_key", None) or keys.access_token
    return {"Authorization": f"Bearer {secret}"}


def score(
    client: MLClient, service: AzureMLLocal, endpoint: str, body: Any, **headers: str
) -> httpx.Response:
    """Ask an endpoint with its key."""
    return service.http.post(
        f"/inference/{endpoint}/score", json=body, headers={**key_of(client, endpoint), **headers}
    )


def servers_of(service: AzureMLLocal, *words: str) -> list[int]:
    """Process ids of the servers below a service whose command has all these words, their guards left out."""
    servers = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().split("\0")
            inside = os.readlink(folder / "cwd").startswith(str(service.home))
        except OSError:
            continue
        if inside and set(words) <= set(command) and not any("guard.py" in word for word in command):
            servers.append(int(folder.name))
    return servers


def tiny_model(client: MLClient, folder: Path) -> str:
    """Id of a model that is registered from an empty folder."""
    (folder / "MLmodel").write_text("flavors: {}\n")
    model = Model(name="tiny", version="1", path=str(folder), type="custom_model")
    return str(client.models.create_or_update(model).id)


def deployment_of(model: str, endpoint: str, name: str = "demo", **settings: Any) -> ManagedOnlineDeployment:
    """A deployment of the stand-in, not yet sent."""
    arguments = {
        "instance_type": SIZE,
        "instance_count": 1,
        **settings,
        "environment_variables": {"NAME": name, **settings.get("environment_variables", {})},
    }
    return ManagedOnlineDeployment(
        name=name, endpoint_name=endpoint, model=model, environment=ENVIRONMENT, **arguments
    )


class Serving:
    """A service, its SDK client and what every deployment needs: a model and an environment."""

    def __init__(self, service: AzureMLLocal, folder: Path) -> None:
        self.service, self.client = service, service.ml_client()
        (folder / "weights").mkdir()
        (folder / "weights" / "numbers.txt").write_text("41")
        self.model = str(self.client.models.create_or_update(Model(name="tiny", path=folder / "weights")).id)
        self.environment = self.new_environment(
            "sound", "name: e\ndependencies: [python=3.11, {pip: [numpy]}]"
        )

    def new_environment(self, name: str, conda: str, image: str = "mcr.microsoft.com/azureml/base:1") -> str:
        """Id of a new environment with this conda file."""
        file = self.service.home / f"{name}.yaml"
        file.write_text(conda)
        made = self.client.environments.create_or_update(Environment(name=name, image=image, conda_file=file))
        return str(made.id)

    def endpoint(self, auth_mode: str = "key") -> contextlib.AbstractContextManager[str]:
        """Name of a fresh endpoint, deleted in the end."""
        return fresh_endpoint(self.client, auth_mode)

    def deployment(self, endpoint: str, name: str, **settings: Any) -> ManagedOnlineDeployment:
        """A deployment of the tiny scoring script, not yet sent."""
        script = settings.pop("script", "score.py")
        arguments = {
            "model": self.model,
            "environment": self.environment,
            "code_configuration": CodeConfiguration(code=str(CODE), scoring_script=script),
            "instance_type": SIZE,
            "instance_count": 1,
            "environment_variables": {"NAME": name, **settings.pop("variables", {})},
            **settings,
        }
        return ManagedOnlineDeployment(name=name, endpoint_name=endpoint, **arguments)

    def deploy(self, endpoint: str, name: str, **settings: Any) -> Any:
        """Deploy the tiny scoring script and wait."""
        made = self.deployment(endpoint, name, **settings)
        return self.client.online_deployments.begin_create_or_update(made).result()

    def traffic(self, endpoint: str, mirror: dict[str, int] | None = None, **shares: int) -> None:
        """Split the endpoint's traffic."""
        set_traffic(self.client, endpoint, shares, mirror)

    def key(self, endpoint: str) -> dict[str, str]:
        """Headers with the endpoint's key or token."""
        return key_of(self.client, endpoint)

    def score(self, endpoint: str, body: Any, **headers: str) -> httpx.Response:
        """Ask the endpoint."""
        return score(self.client, self.service, endpoint, body, **headers)

    def log(self, endpoint: str, name: str, container: str | None = None) -> str:
        """Log of a deployment's container."""
        return str(
            self.client.online_deployments.get_logs(name, endpoint, lines=200, container_type=container)
        )


@contextlib.contextmanager
def serving(home: Path, python: str) -> Iterator[Serving]:
    """A started service of one's own; ``os.environ`` points the SDK at it for the time of the block."""
    with running(home, AZUREML_LOCAL_COMPUTE_PYTHON=python) as service:
        yield Serving(service, home)
