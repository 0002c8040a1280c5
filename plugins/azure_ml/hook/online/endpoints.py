"""Calls about online endpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from azure_ml.errors import Conflict, NameTaken, NotFound, OperationFailed, ServiceFailure
from azure_ml.hook import _sdk
from azure_ml.hook._polling import finish, pauses
from azure_ml.hook._translate import translated
from azure_ml.hook.online.entities import Endpoint, NewEndpoint, endpoint_of, failed_for
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure_ml.hook.client import AzureMLHook

MAX_REFUSALS: Final = 5
"""Refused or failed deletions, with nothing else under way, after which one gives up: a lock, for example."""

Outcome = Literal["deleted", "absent", "foreign"]


class Endpoints:
    """``hook.endpoints``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    @property
    def _calls(self) -> Any:
        return self._hook.workspace_client.online_endpoints

    def get(self, name: str) -> Endpoint | None:
        """The endpoint, or ``None`` if there is none of that name."""
        try:
            with translated(f"read the endpoint {name!r}"):
                return endpoint_of(self._calls.get(name))
        except NotFound:
            return None

    def list(self) -> list[Endpoint]:
        """All endpoints of the workspace, whosoever they are."""
        with translated("list the endpoints"):
            return [endpoint_of(found) for found in self._calls.list()]

    def require_free(self, name: str, owner: Mapping[str, str]) -> Endpoint | None:
        """Make sure that nobody else holds a name; returns the owner's own endpoint if there is one.

        Raises:
            NameTaken: if an endpoint of that name exists without the owner's tags.
        """
        found = self.get(name)
        if found is not None and not found.belongs_to(owner):
            raise NameTaken(
                f"The endpoint name {name!r} is already taken in the workspace "
                f"{self._hook.settings.workspace_name!r}: choose another name, or delete that endpoint."
            )
        return found

    def create(self, wanted: NewEndpoint, timeout_seconds: float) -> Endpoint:
        """Create an endpoint and wait for it; one that the owner has created already is waited for.

        Raises:
            NameTaken: if somebody else has an endpoint of that name.
            OperationFailed, OperationTimeout, QuotaExceeded: if it does not come up.
        """
        self.require_free(wanted.name, wanted.owner)
        found = self._settled(wanted, timeout_seconds)
        if found is not None and phase("endpoint", found.state, found.name) is Phase.FAILED:
            self.delete(wanted.name, wanted.owner, timeout_seconds)
            found = None
        if found is None:
            finish(self._begin_create(wanted), wanted.action, timeout_seconds)
        return self.require_up(wanted.name)

    def begin_create(self, wanted: NewEndpoint) -> str | None:
        """Take the next step towards an endpoint that is up, without waiting.

        Returns:
            ``None`` if the endpoint is up; the id of the creation that was begun; or an empty text if an
            earlier operation has to end first, after which this is to be called again.

        Raises:
            NameTaken: if somebody else has an endpoint of that name.
        """
        found = self.require_free(wanted.name, wanted.owner)
        if found is None:
            return _sdk.operation_of(self._begin_create(wanted))
        state = phase("endpoint", found.state, found.name)
        if state is Phase.FAILED:
            self.begin_delete(wanted.name, wanted.owner)
        return None if state is Phase.SUCCEEDED else ""

    def require_up(self, name: str, reason: str = "") -> Endpoint:
        """The endpoint, which must have been created well.

        Args:
            name: of the endpoint.
            reason: why the operation failed, if that is known.

        Raises:
            NotFound: if it is gone.
            OperationFailed, QuotaExceeded: if it is in any other state than ``Succeeded``.
        """
        found = self.get(name)
        if found is None:
            raise NotFound(
                f"The endpoint {name!r} has vanished while it was created or changed; somebody has deleted it."
            )
        if phase("endpoint", found.state, name) is not Phase.SUCCEEDED:
            why = f" ({reason})" if reason else ""
            raise failed_for(reason)(
                f"The endpoint {name!r} is in state {found.state!r} and not 'Succeeded'{why}: "
                "delete it and try again."
            )
        return found

    def begin_traffic(self, name: str, deployment: str) -> str | None:
        """Take the next step towards all traffic to one deployment; returns as :meth:`begin_create` does."""
        found = self.get(name)
        if found is None or phase("endpoint", found.state, name) is Phase.FAILED:
            self.require_up(name)
        elif phase("endpoint", found.state, name) is Phase.ACTIVE:
            return ""
        elif found.traffic == {deployment: 100}:
            return None
        return _sdk.operation_of(self._begin_traffic(name, {deployment: 100}))

    def send_all_traffic(self, name: str, deployment: str, timeout_seconds: float) -> None:
        """Send 100 % of an endpoint's traffic to one deployment."""
        action = f"send the traffic of the endpoint {name!r} to {deployment!r}"
        for _ in pauses(action, timeout_seconds):
            found = self.get(name)
            if found is not None and phase("endpoint", found.state, name) is Phase.ACTIVE:
                continue
            if found is None or found.traffic != {deployment: 100}:
                finish(self._begin_traffic(name, {deployment: 100}), action, timeout_seconds)
            self.require_up(name)
            return

    def stop_traffic(self, name: str, deployment: str, timeout_seconds: float) -> None:
        """Take a deployment's traffic away, as the service deletes none that has any.

        Raises:
            OperationFailed: if it shares the traffic; how the others are to share it then, nobody said.
        """
        found = self.get(name)
        share = found.traffic.get(deployment) if found else None
        if not share:
            return
        if share != 100:
            raise OperationFailed(
                f"The deployment {deployment!r} has {share} % of the traffic of {name!r}: "
                "divide it among the others, then delete the deployment in Studio."
            )
        action = f"take the traffic from the deployment {deployment!r}"
        finish(self._begin_traffic(name, {}), action, timeout_seconds)

    def begin_delete(self, name: str, owner: Mapping[str, str]) -> Outcome:
        """Ask for the deletion of an endpoint if it is the owner's; does not wait."""
        found = self.get(name)
        if found is None:
            return "absent"
        if not found.belongs_to(owner):
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
        """Delete an endpoint if it is the owner's, and look until it is gone.

        A deletion that meets another operation, on the endpoint or on a deployment behind it, waits for its
        end and tries again.

        Args:
            name: of the endpoint.
            owner: tags that the endpoint must carry.
            timeout_seconds: how long to look.
            sleep: how to pause between looks.

        Raises:
            OperationTimeout: if it is still there in the end.
            Conflict, OperationFailed, ServiceFailure: if the service refuses again and again.
        """
        outcome: Outcome = "absent"
        refusals, action = 0, f"delete the endpoint {name!r}"
        for _ in pauses(action, timeout_seconds, sleep):
            found = self.get(name)
            if found is None:
                return outcome
            if not found.belongs_to(owner):
                return "foreign"
            if phase("endpoint", found.state, name) is Phase.ACTIVE:
                outcome = "deleted" if found.state.lower() == "deleting" else outcome
                continue
            try:
                with translated(action):
                    poller = self._calls.begin_delete(name)
                finish(poller, action, timeout_seconds)
            except NotFound:
                pass
            except (Conflict, OperationFailed, ServiceFailure):
                refusals += not self._hook.deployments.any_active(name)
                if refusals >= MAX_REFUSALS:
                    raise
            outcome = "deleted"
        return outcome

    def _begin_create(self, wanted: NewEndpoint) -> Any:
        with translated(wanted.action):
            from azure.ai.ml.entities import ManagedOnlineEndpoint

            entity = ManagedOnlineEndpoint(
                name=wanted.name,
                description=wanted.description,
                auth_mode=wanted.auth_mode,
                tags={**wanted.tags, **wanted.owner},
            )
            return self._calls.begin_create_or_update(entity)

    def _begin_traffic(self, name: str, traffic: dict[str, int]) -> Any:
        with translated(f"change the traffic of the endpoint {name!r}"):
            found = self._calls.get(name)
            found.traffic = traffic
            return self._calls.begin_create_or_update(found)

    def _settled(self, wanted: NewEndpoint, timeout_seconds: float) -> Endpoint | None:
        """The endpoint once no operation is under way on it."""
        for _ in pauses(wanted.action, timeout_seconds):
            found = self.get(wanted.name)
            if found is None or phase("endpoint", found.state, wanted.name) is not Phase.ACTIVE:
                return found
        return None
