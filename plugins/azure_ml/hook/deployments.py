"""Calls about the deployments of online endpoints."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure_ml.errors import AzureMLError, OperationFailed
from azure_ml.hook.polling import finish
from azure_ml.hook.translate import masked, translated

if TYPE_CHECKING:
    from azure_ml.hook.base import AzureMLHook


@dataclass(frozen=True)
class DeploymentRequest:
    """A deployment of a model.

    Attributes:
        endpoint: name of the endpoint.
        name: of the deployment.
        model: ARM id of the model.
        instance_type: VM size.
        instance_count: machines.
        request_timeout_ms: longest time of one answer, milliseconds.
        liveness_initial_delay_seconds: before the first probe; a model that loads longer is killed in a loop.
        tags: of the deployment.
    """

    endpoint: str
    name: str
    model: str
    instance_type: str
    instance_count: int = 1
    request_timeout_ms: int = 90_000
    liveness_initial_delay_seconds: int = 600
    tags: Mapping[str, str] = field(default_factory=dict)


class Deployments:
    """``hook.deployments``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    @property
    def _endpoints(self) -> Any:
        return self._hook.workspace_client.online_endpoints

    @property
    def _deployments(self) -> Any:
        return self._hook.workspace_client.online_deployments

    def create(self, request: DeploymentRequest, timeout_seconds: float) -> None:
        """Create a deployment and wait until it answers; then send all traffic to it.

        Raises:
            OperationFailed: with the last lines of the container's log, if it does not come up.
        """
        action = f"deploy to {request.endpoint!r} as {request.name!r} on {request.instance_type!r}"
        try:
            with translated(action):
                poller = self._begin_deploy(request)
            finish(poller, action, timeout_seconds)
        except OperationFailed as error:
            tail = self.log(request.endpoint, request.name) or "(it has written nothing)"
            raise OperationFailed(f"{error}\nThe container's last lines:\n{tail}") from error
        self.send_all_traffic(request.endpoint, request.name, timeout_seconds)

    def send_all_traffic(self, name: str, deployment: str, timeout_seconds: float) -> None:
        """Send 100 % of an endpoint's traffic to one deployment."""
        action = f"send the traffic of the endpoint {name!r} to {deployment!r}"
        with translated(action):
            found = self._endpoints.get(name)
            found.traffic = {deployment: 100}
            poller = self._endpoints.begin_create_or_update(found)
        finish(poller, action, timeout_seconds)

    def log(self, name: str, deployment: str, lines: int = 100) -> str:
        """The last lines of a deployment's container; a sentence if there are none to be had."""
        try:
            with translated(f"read the log of the deployment {deployment!r}"):
                text = self._deployments.get_logs(deployment, name, lines)
        except AzureMLError as error:
            return str(error)
        return masked(str(text)).strip()

    def score(self, name: str, request: Mapping[str, Any], deployment: str | None = None) -> str:
        """The raw answer of an endpoint.

        Args:
            name: of the endpoint.
            request: body, JSON.
            deployment: ask this one in place of what the traffic says.
        """
        with tempfile.TemporaryDirectory() as folder, translated(f"ask the endpoint {name!r}"):
            file = Path(folder) / "request.json"
            file.write_text(json.dumps(request), encoding="utf-8")
            return str(self._endpoints.invoke(name, request_file=str(file), deployment_name=deployment))

    def _begin_deploy(self, request: DeploymentRequest) -> Any:
        from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineRequestSettings, ProbeSettings

        wanted = ManagedOnlineDeployment(
            name=request.name,
            endpoint_name=request.endpoint,
            model=request.model,
            instance_type=request.instance_type,
            instance_count=request.instance_count,
            tags=dict(request.tags),
            liveness_probe=ProbeSettings(initial_delay=request.liveness_initial_delay_seconds),
            request_settings=OnlineRequestSettings(request_timeout_ms=request.request_timeout_ms),
        )
        return self._deployments.begin_create_or_update(wanted)
