"""Online endpoints."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from azure_ml.errors import Conflict, NotFound, OperationFailed, ServiceFailure
from azure_ml.hook import _sdk
from azure_ml.hook._polling import finish, pauses
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.online.advance import Advancing, Done, Progress
from azure_ml.hook.online.deployments import Deployments
from azure_ml.hook.online.entities import Endpoint, EndpointSpec
from azure_ml.hook.online.operations import Pending, require_endpoint_up
from azure_ml.hook.online.reads import read_endpoint
from azure_ml.hook.ownership import require_owned
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure.ai.ml.operations import OnlineEndpointOperations

# Refused or failed deletions, with nothing else under way, after which to give up: a lock, for example.
MAX_REFUSALS: Final = 5

Outcome = Literal["deleted", "absent", "foreign"]


class Endpoints(Advancing[EndpointSpec]):
    """``hook.endpoints``."""

    noun = "endpoint"

    def __init__(self, clients: Clients, deployments: Deployments) -> None:
        super().__init__(clients)
        self._deployments = deployments

    @property
    def _calls(self) -> OnlineEndpointOperations:
        return self._clients.workspace_client.online_endpoints

    def get(self, name: str) -> Endpoint | None:
        """The endpoint, or ``None`` if there is none of that name."""
        return read_endpoint(self._clients, name)

    def list(self) -> list[Endpoint]:
        """All endpoints of the workspace, of any owner."""
        with translated("list the endpoints"):
            return [Endpoint.of(entity) for entity in self._calls.list()]

    def require_free(self, name: str, owner: Mapping[str, str]) -> Endpoint | None:
        """The owner's own endpoint of that name, if it exists; raises :class:`NameTaken` for another's."""
        endpoint = self.get(name)
        if endpoint is not None:
            require_owned(f"an endpoint {name!r}", endpoint.tags, owner)
        return endpoint

    def advance(self, spec: EndpointSpec) -> Progress:
        """Create the endpoint; if this owner already created it, wait for it; if that failed, delete it first."""
        endpoint = self.require_free(spec.name, spec.owner)
        if endpoint is None:
            return Pending(spec.name, operation=self._begin(spec))
        state = phase("endpoint", endpoint.state, endpoint.name)
        if state is Phase.FAILED:
            self.begin_delete(spec.name, spec.owner)
        return Done() if state is Phase.SUCCEEDED else Pending(spec.name)

    def require_up(self, spec: EndpointSpec, pending: Pending | None = None) -> Endpoint:
        """The endpoint, which must be in state ``Succeeded``; raises as :func:`require_endpoint_up`."""
        return require_endpoint_up(self._clients, spec.name, pending)

    def begin_delete(self, name: str, owner: Mapping[str, str]) -> Outcome:
        """Request the deletion of an endpoint if it is the owner's; does not wait."""
        endpoint = self.get(name)
        if endpoint is None:
            return "absent"
        if not endpoint.belongs_to(owner):
            return "foreign"
        try:
            with translated(f"delete the endpoint {name!r}"):
                self._calls.begin_delete(name)
        except NotFound:
            return "absent"
        return "deleted"

    def delete(
        self,
        name: str,
        owner: Mapping[str, str],
        timeout_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Outcome:
        """Delete an endpoint if it is the owner's, and wait until it is gone; raises as :func:`pauses`."""
        # A deletion that meets another operation, also on a deployment, waits for its end and tries again.
        outcome: Outcome = "absent"
        refusals, action = 0, f"delete the endpoint {name!r}"
        for _ in pauses(action, timeout_seconds, sleep):
            endpoint = self.get(name)
            if endpoint is None:
                return outcome
            if not endpoint.belongs_to(owner):
                return "foreign"
            if phase("endpoint", endpoint.state, name) is Phase.ACTIVE:
                outcome = "deleted" if endpoint.state.lower() == "deleting" else outcome
                continue
            outcome, refused = "deleted", self._try_delete(name, action, timeout_seconds)
            refusals += refused is not None and not self._deployments.any_active(name)
            if refused is not None and refusals >= MAX_REFUSALS:
                raise refused
        return outcome

    def invoke(self, name: str, request: Mapping[str, object], deployment: str | None = None) -> str:
        """The raw answer of an endpoint, or of one of its deployments, to a JSON body."""
        # The SDK takes the body as a file only.
        with tempfile.TemporaryDirectory() as folder, translated(f"ask the endpoint {name!r}"):
            file = Path(folder) / "request.json"
            file.write_text(json.dumps(request), encoding="utf-8")
            return str(self._calls.invoke(name, request_file=str(file), deployment_name=deployment))

    def _try_delete(
        self, name: str, action: str, timeout_seconds: float
    ) -> Conflict | OperationFailed | ServiceFailure | None:
        try:
            with translated(action):
                poller = self._calls.begin_delete(name)
            finish(poller, action, timeout_seconds)
        except NotFound:
            return None
        except (Conflict, OperationFailed, ServiceFailure) as refusal:
            return refusal
        return None

    def _begin(self, spec: EndpointSpec) -> str:
        with translated(spec.action):
            from azure.ai.ml.entities import ManagedOnlineEndpoint

            entity = ManagedOnlineEndpoint(
                name=spec.name,
                description=spec.description,
                auth_mode=spec.auth_mode,
                tags={**spec.tags, **spec.owner},
            )
            return _sdk.operation_of(self._calls.begin_create_or_update(entity))
