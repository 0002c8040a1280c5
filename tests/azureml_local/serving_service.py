"""What the tests of serving share: a service whose deployments run scoring scripts, and a way to deploy."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from azure.ai.ml.entities import (
    CodeConfiguration,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)

from tests.azureml_service import (
    ROOT,
    AzureMLLocal,
    running,
)

CODE = ROOT / "tests" / "azureml_local" / "scoring_code"
SIZE = "Standard_DS3_v2"
"""Four cores: a deployment of one instance asks for eight."""


class Serving:
    """A service, its SDK client and what every deployment needs: a model and an environment."""

    def __init__(self, service: AzureMLLocal, folder: Path) -> None:
        self.service, self.client = service, service.ml_client()
        self._numbers = itertools.count()
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

    def kill(self) -> None:
        """End the service without a chance to clean up."""
        self.service.process.kill()
        self.service.process.wait()

    @contextlib.contextmanager
    def endpoint(self, auth_mode: str = "key") -> Iterator[str]:
        """Name of a fresh endpoint, deleted in the end."""
        name = f"ep-{next(self._numbers)}-{time.time_ns() % 10**9}"
        made = ManagedOnlineEndpoint(name=name, auth_mode=auth_mode)
        self.client.online_endpoints.begin_create_or_update(made).result()
        try:
            yield name
        finally:
            self.client.online_endpoints.begin_delete(name).result()

    def deployment(self, endpoint: str, name: str, **settings: Any) -> ManagedOnlineDeployment:
        """A deployment of the tiny scoring script, not yet sent."""
        script = settings.pop("script", "score.py")
        told = {
            "model": self.model,
            "environment": self.environment,
            "code_configuration": CodeConfiguration(code=str(CODE), scoring_script=script),
            "instance_type": SIZE,
            "instance_count": 1,
            "environment_variables": {"NAME": name, **settings.pop("variables", {})},
            **settings,
        }
        return ManagedOnlineDeployment(name=name, endpoint_name=endpoint, **told)

    def deploy(self, endpoint: str, name: str, **settings: Any) -> Any:
        """Deploy the tiny scoring script and wait."""
        made = self.deployment(endpoint, name, **settings)
        return self.client.online_deployments.begin_create_or_update(made).result()

    def traffic(self, endpoint: str, mirror: dict[str, int] | None = None, **shares: int) -> None:
        """Split the endpoint's traffic."""
        found = self.client.online_endpoints.get(endpoint)
        found.traffic, found.mirror_traffic = dict(shares), mirror or {}
        self.client.online_endpoints.begin_create_or_update(found).result()

    def key(self, endpoint: str) -> dict[str, str]:
        """Headers with the endpoint's key or token."""
        found = self.client.online_endpoints.get_keys(endpoint)
        secret = getattr(found, "primary_key", None) or found.access_token
        return {"Authorization": f"Bearer {secret}"}

    def score(self, endpoint: str, body: Any, **headers: str) -> httpx.Response:
        """Ask the endpoint."""
        return self.service.http.post(
            f"/inference/{endpoint}/score", json=body, headers={**self.key(endpoint), **headers}
        )

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
