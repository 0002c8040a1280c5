"""Calls about the deployments of online endpoints."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import AzureMLError, Conflict, NameTaken, NotFound
from azure_ml.hook import _sdk
from azure_ml.hook._polling import finish, pauses
from azure_ml.hook._translate import masked, translated
from azure_ml.hook.online.entities import Deployment, DeploymentRequest, deployment_of, failed_for
from azure_ml.lifecycle.tags import is_owned
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure_ml.hook.client import AzureMLHook

CONTAINERS: Final = ("storage-initializer", "inference-server")
"""The two containers of a deployment, in the order in which they run."""
BEGUN: Final = object()


class Deployments:
    """``hook.deployments``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    @property
    def _calls(self) -> Any:
        return self._hook.workspace_client.online_deployments

    def get(self, endpoint: str, name: str) -> Deployment | None:
        """The deployment, or ``None`` if there is none of that name."""
        try:
            with translated(f"read the deployment {name!r} of {endpoint!r}"):
                return deployment_of(self._calls.get(name, endpoint), endpoint)
        except NotFound:
            return None

    def list(self, endpoint: str) -> list[Deployment]:
        """The deployments of an endpoint; none if the endpoint has gone."""
        try:
            with translated(f"list the deployments of {endpoint!r}"):
                return [deployment_of(found, endpoint) for found in self._calls.list(endpoint)]
        except NotFound:
            return []

    def any_active(self, endpoint: str) -> bool:
        """Whether an operation is under way on any deployment of an endpoint."""
        return any(
            phase("deployment", found.state, found.name) is Phase.ACTIVE for found in self.list(endpoint)
        )

    def create(self, request: DeploymentRequest, timeout_seconds: float) -> None:
        """Create a deployment and wait until it answers; one that the owner has begun already is waited for.

        Raises:
            NameTaken: if somebody else has a deployment of that name.
            OperationFailed, OperationTimeout, QuotaExceeded: if it does not come up.
        """
        for _ in pauses(request.action, timeout_seconds):
            found = self._mine(request)
            if found is not None and phase("deployment", found.state, request.name) is Phase.ACTIVE:
                continue
            poller = None if self._done(found, request) else self._begin(request)
            if poller is not BEGUN:
                break
        if poller is not None:
            finish(poller, request.action, timeout_seconds)
        self.require_up(request)

    def begin_create(self, request: DeploymentRequest) -> str | None:
        """Take the next step towards a deployment that answers, without waiting.

        Returns:
            ``None`` if it is there; the id of the operation that was begun; or an empty text if an earlier
            one has to end first, after which this is to be called again.

        Raises:
            NameTaken: if somebody else has a deployment of that name.
        """
        found = self._mine(request)
        if found is not None and phase("deployment", found.state, request.name) is Phase.ACTIVE:
            return ""
        if self._done(found, request):
            return None
        poller = self._begin(request)
        return "" if poller is BEGUN else _sdk.operation_of(poller)

    def require_up(self, request: DeploymentRequest, reason: str = "") -> Deployment:
        """The deployment, which must have come up.

        Args:
            request: what was asked for.
            reason: why the operation failed, if that is known.

        Raises:
            NotFound: if it is gone.
            OperationFailed, QuotaExceeded: if it is in any other state than ``Succeeded``.
        """
        found = self.get(request.endpoint, request.name)
        if found is None:
            raise NotFound(f"Cannot {request.action}: it has vanished meanwhile; somebody has deleted it.")
        if phase("deployment", found.state, request.name) is not Phase.SUCCEEDED:
            raise failed_for(reason)(
                f"Cannot {request.action}: {reason or f'it is in state {found.state!r}'}; "
                "its container's log says more."
            )
        return found

    def delete(
        self, found: Deployment, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Delete a deployment alone, without its endpoint, and look until it is gone.

        Raises:
            OperationTimeout: if it is still there in the end.
            AzureMLError: if the service refuses.
        """
        action = f"delete the deployment {found.name!r} of {found.endpoint!r}"
        for _ in pauses(action, timeout_seconds, sleep):
            now = self.get(found.endpoint, found.name)
            if now is None:
                return
            if phase("deployment", now.state, now.name) is Phase.ACTIVE:
                continue
            try:
                self._hook.endpoints.stop_traffic(found.endpoint, found.name, timeout_seconds)
                with translated(action):
                    poller = self._calls.begin_delete(name=found.name, endpoint_name=found.endpoint)
                finish(poller, action, timeout_seconds)
            except (NotFound, Conflict):
                continue

    def log(self, endpoint: str, name: str, lines: int = 100, container: str | None = None) -> str:
        """The last lines of one of a deployment's containers; a sentence if there are none to be had."""
        try:
            with translated(f"read the log of the deployment {name!r}"):
                found = self._calls.get_logs(name, endpoint, lines, container_type=container)
        except AzureMLError as error:
            return str(error)
        return masked(str(found)).strip()

    def save_log(self, endpoint: str, name: str, attempt: int, lines: int = 5000) -> tuple[str, str]:
        """Keep the log of both containers in the workspace's default datastore, where it outlives them.

        Args:
            endpoint: name of the endpoint.
            name: of the deployment.
            attempt: which try of the task this is.
            lines: of each container, at most.

        Returns:
            The ``azureml://`` URI of the file, and what is in it.
        """
        parts = [(one, self.log(endpoint, name, lines, one)) for one in CONTAINERS]
        content = "\n\n".join(f"===== {one} =====\n{log or '(nothing)'}" for one, log in parts) + "\n"
        path = f"azureml/deployment-logs/{endpoint}/{name}-{attempt}.txt"
        with translated(f"save the log of the deployment {name!r}"):
            store = _sdk.upload_text(self._hook.workspace_client, path, content)
        return f"azureml:/{self._hook.settings.workspace_uri}/datastores/{store}/paths/{path}", content

    def score(self, name: str, request: Mapping[str, Any], deployment: str | None = None) -> str:
        """The raw answer of an endpoint.

        Args:
            name: of the endpoint.
            request: body, JSON.
            deployment: ask this one in place of what the traffic says.
        """
        calls = self._hook.workspace_client.online_endpoints
        with tempfile.TemporaryDirectory() as folder, translated(f"ask the endpoint {name!r}"):
            file = Path(folder) / "request.json"
            file.write_text(json.dumps(request), encoding="utf-8")
            return str(calls.invoke(name, request_file=str(file), deployment_name=deployment))

    def _mine(self, request: DeploymentRequest) -> Deployment | None:
        found = self.get(request.endpoint, request.name)
        if found is not None and not is_owned(found.tags, request.owner):
            raise NameTaken(
                f"The endpoint {request.endpoint!r} has a deployment {request.name!r} of somebody else's: "
                "choose another name."
            )
        return found

    @staticmethod
    def _done(found: Deployment | None, request: DeploymentRequest) -> bool:
        """Whether the deployment is there; one that failed, or serves another model, is changed in place."""
        return (
            found is not None
            and phase("deployment", found.state, found.name) is Phase.SUCCEEDED
            and found.serves(request.model)
        )

    def _begin(self, request: DeploymentRequest) -> Any:
        """The SDK's poller; ``BEGUN`` if a request whose answer was lost has begun it already."""
        try:
            return self._send(request)
        except Conflict:
            found = self._mine(request)
            if found is not None and phase("deployment", found.state, request.name) is Phase.ACTIVE:
                return BEGUN
            raise

    def _send(self, request: DeploymentRequest) -> Any:
        with translated(request.action):
            from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineRequestSettings, ProbeSettings

            wanted = ManagedOnlineDeployment(
                name=request.name,
                endpoint_name=request.endpoint,
                model=request.model,
                instance_type=request.instance_type,
                instance_count=request.instance_count,
                tags={**request.tags, **request.owner},
                liveness_probe=ProbeSettings(initial_delay=request.liveness_initial_delay_seconds),
                request_settings=OnlineRequestSettings(request_timeout_ms=request.request_timeout_ms),
            )
            return self._calls.begin_create_or_update(wanted)
