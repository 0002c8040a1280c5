"""Deployments of online endpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from azure_ml.errors import AzureMLError, Conflict, NotFound
from azure_ml.hook import _sdk
from azure_ml.hook._polling import finish, pauses
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.online.advance import Advancing, Done, Progress
from azure_ml.hook.online.entities import Deployment, DeploymentSpec
from azure_ml.hook.online.operations import Pending, failed_for
from azure_ml.hook.online.reads import read_deployment, read_endpoint
from azure_ml.hook.online.traffic import Traffic
from azure_ml.hook.ownership import require_owned
from azure_ml.masking import masked
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure.ai.ml.operations import OnlineDeploymentOperations

# The two containers of a deployment, in the order in which they run.
CONTAINERS: Final = ("storage-initializer", "inference-server")
# Of one container's log, the last ones; its lines may be of any length.
LOG_CHARACTERS: Final = 4 << 20


class Deployments(Advancing[DeploymentSpec]):
    """``hook.deployments``."""

    noun = "deployment"

    def __init__(self, clients: Clients, traffic: Traffic) -> None:
        super().__init__(clients)
        self._traffic = traffic

    @property
    def _calls(self) -> OnlineDeploymentOperations:
        return self._clients.workspace_client.online_deployments

    def get(self, endpoint: str, name: str) -> Deployment | None:
        """The deployment, or ``None`` if there is none of that name."""
        return read_deployment(self._clients, endpoint, name)

    def list(self, endpoint: str) -> list[Deployment]:
        """The deployments of an endpoint; none if the endpoint is gone."""
        try:
            with translated(f"list the deployments of {endpoint!r}"):
                return [Deployment.of(entity, endpoint) for entity in self._calls.list(endpoint)]
        except NotFound:
            return []

    def any_active(self, endpoint: str) -> bool:
        """Whether an operation is under way on any deployment of an endpoint."""
        return any(phase("deployment", one.state, one.name) is Phase.ACTIVE for one in self.list(endpoint))

    def advance(self, spec: DeploymentSpec) -> Progress:
        """Create the deployment; one that failed, or serves another model, is changed in place."""
        deployment = self._own(spec)
        state = phase("deployment", deployment.state, spec.name) if deployment else None
        if state is Phase.ACTIVE:
            return Pending(spec.endpoint, spec.name)
        if deployment and state is Phase.SUCCEEDED and deployment.serves(spec.model):
            return Done()
        try:
            return Pending(spec.endpoint, spec.name, self._begin(spec))
        except Conflict:
            # A request whose answer was lost may have begun it already.
            deployment = self._own(spec)
            if deployment and phase("deployment", deployment.state, spec.name) is Phase.ACTIVE:
                return Pending(spec.endpoint, spec.name)
            raise

    def require_up(self, spec: DeploymentSpec, pending: Pending | None = None) -> Deployment:
        """The deployment, which must be in state ``Succeeded``; raises the reason of ``pending`` otherwise."""
        deployment = self.get(spec.endpoint, spec.name)
        if deployment is None:
            raise NotFound(f"Cannot {spec.action}: it has vanished meanwhile; somebody has deleted it.")
        if phase("deployment", deployment.state, spec.name) is not Phase.SUCCEEDED:
            reason = self._operations.reason(pending) if pending else ""
            raise failed_for(reason)(
                f"Cannot {spec.action}: {reason or f'it is in state {deployment.state!r}'}; "
                "its container's log says more."
            )
        return deployment

    def delete(
        self,
        deployment: Deployment,
        owner: Mapping[str, str],
        timeout_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Delete an owner's deployment alone, without its endpoint, and wait until it is gone.

        Raises as :func:`pauses`, and :class:`NameTaken` for another owner's.
        """
        endpoint, name = deployment.endpoint, deployment.name
        action = f"delete the deployment {name!r} of {endpoint!r}"
        for _ in pauses(action, timeout_seconds, sleep):
            current = self.get(endpoint, name)
            if current is None:
                return
            require_owned(f"a deployment {name!r} of {endpoint!r}", current.tags, owner)
            if phase("deployment", current.state, name) is Phase.ACTIVE:
                continue
            try:
                self._traffic.stop(endpoint, name, timeout_seconds)
                with translated(action):
                    poller = self._calls.begin_delete(name=name, endpoint_name=endpoint)
                finish(poller, action, timeout_seconds)
            except (NotFound, Conflict):
                continue

    def log(self, endpoint: str, name: str, lines: int = 100, container: str | None = None) -> str:
        """The last lines of one of a deployment's containers, or a sentence why there are none."""
        try:
            with translated(f"read the log of the deployment {name!r}"):
                content = self._calls.get_logs(name, endpoint, lines, container_type=container)
        except AzureMLError as error:
            return str(error)
        words = str(content)
        left_out = len(words) - LOG_CHARACTERS
        said = (
            f"... {left_out} characters before these are left out: Studio has them.\n" if left_out > 0 else ""
        )
        return said + masked(words[-LOG_CHARACTERS:]).strip()

    def save_log(self, endpoint: str, name: str, attempt: int, lines: int = 5000) -> tuple[str, str]:
        """Save both containers' logs in the workspace's default datastore; returns ``azureml://`` URI and content."""
        parts = [(one, self.log(endpoint, name, lines, one)) for one in CONTAINERS]
        content = "\n\n".join(f"===== {one} =====\n{log or '(nothing)'}" for one, log in parts) + "\n"
        path = f"azureml/deployment-logs/{endpoint}/{name}-{attempt}.txt"
        with translated(f"save the log of the deployment {name!r}"):
            store = _sdk.upload_text(self._clients.workspace_client, path, content)
        workspace = self._clients.settings.workspace_uri
        return f"azureml:/{workspace}/datastores/{store}/paths/{path}", content

    def _own(self, spec: DeploymentSpec) -> Deployment | None:
        deployment = self.get(spec.endpoint, spec.name)
        if deployment is not None:
            require_owned(f"a deployment {spec.name!r} of {spec.endpoint!r}", deployment.tags, spec.owner)
        elif (endpoint := read_endpoint(self._clients, spec.endpoint)) is not None:
            require_owned(f"an endpoint {spec.endpoint!r}", endpoint.tags, spec.owner)
        return deployment

    def _begin(self, spec: DeploymentSpec) -> str:
        with translated(spec.action):
            from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineRequestSettings, ProbeSettings

            entity = ManagedOnlineDeployment(
                name=spec.name,
                endpoint_name=spec.endpoint,
                model=spec.model,
                instance_type=spec.instance_type,
                instance_count=spec.instance_count,
                tags={**spec.tags, **spec.owner},
                liveness_probe=ProbeSettings(initial_delay=spec.liveness_initial_delay_seconds),
                request_settings=OnlineRequestSettings(request_timeout_ms=spec.request_timeout_ms),
            )
            return _sdk.operation_of(self._calls.begin_create_or_update(entity))
