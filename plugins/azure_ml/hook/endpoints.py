"""Calls about online endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from azure_ml.errors import Conflict, NameTaken, NotFound, OperationFailed, ServiceFailure
from azure_ml.hook.polling import finish, pauses
from azure_ml.hook.translate import text, translated
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure_ml.hook.base import AzureMLHook

MAX_REFUSALS: Final = 5
"""Refused or failed deletions, with nothing else under way, after which one gives up: a lock, for example."""

Outcome = Literal["deleted", "absent", "foreign"]


@dataclass(frozen=True)
class Endpoint:
    """An online endpoint; ``scoring_uri`` is empty until it is up."""

    name: str
    state: str
    scoring_uri: str
    tags: Mapping[str, str] = field(default_factory=dict)

    def belongs_to(self, owner: Mapping[str, str]) -> bool:
        """Whether the endpoint carries all the owner's tags."""
        return all(self.tags.get(key) == value for key, value in owner.items())


def _endpoint(found: Any) -> Endpoint:
    return Endpoint(
        str(found.name), text(found.provisioning_state), str(found.scoring_uri or ""), dict(found.tags or {})
    )


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
                return _endpoint(self._calls.get(name))
        except NotFound:
            return None

    def require_free(self, name: str, owner: Mapping[str, str]) -> None:
        """Make sure that nobody else holds a name.

        Raises:
            NameTaken: if an endpoint of that name exists without the owner's tags.
        """
        found = self.get(name)
        if found is not None and not found.belongs_to(owner):
            raise NameTaken(
                f"The endpoint name {name!r} is already taken in the workspace "
                f"{self._hook.settings.workspace_name!r}: choose another name, or delete that endpoint."
            )

    def create(
        self, name: str, *, owner: Mapping[str, str], description: str, auth_mode: str, timeout_seconds: float
    ) -> Endpoint:
        """Create an endpoint and wait for it; one that the owner has created already is waited for.

        Args:
            name: of the endpoint.
            owner: tags that say whose it is.
            description: shown in Studio.
            auth_mode: ``key`` or ``aad_token``.
            timeout_seconds: how long to wait.

        Raises:
            NameTaken: if somebody else has an endpoint of that name.
            OperationFailed, OperationTimeout, QuotaExceeded: if it does not come up.
        """
        self.require_free(name, owner)
        action = f"create the endpoint {name!r}"
        found = self._settled(name, action, timeout_seconds)
        if found is not None:
            return self._up(found, action)
        with translated(action):
            from azure.ai.ml.entities import ManagedOnlineEndpoint

            wanted = ManagedOnlineEndpoint(
                name=name, description=description, auth_mode=auth_mode, tags=dict(owner)
            )
            poller = self._calls.begin_create_or_update(wanted)
        finish(poller, action, timeout_seconds)
        found = self.get(name)
        if found is None:
            raise NotFound(f"Cannot {action}: it has vanished while it was created; somebody has deleted it.")
        return self._up(found, action)

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

    def delete(self, name: str, owner: Mapping[str, str], timeout_seconds: float) -> Outcome:
        """Delete an endpoint if it is the owner's, and look until it is gone.

        A deletion that meets another operation waits for its end and tries again.

        Raises:
            OperationTimeout: if it is still there in the end.
            Conflict, OperationFailed, ServiceFailure: if the service refuses again and again.
        """
        outcome: Outcome = "absent"
        refusals, action = 0, f"delete the endpoint {name!r}"
        for _ in pauses(action, timeout_seconds):
            found = self.get(name)
            if found is None:
                return outcome
            if not found.belongs_to(owner):
                return "foreign"
            if phase("endpoint", found.state, name) is Phase.ACTIVE:
                continue
            try:
                with translated(action):
                    poller = self._calls.begin_delete(name)
                finish(poller, action, timeout_seconds)
            except NotFound:
                pass
            except (Conflict, OperationFailed, ServiceFailure):
                refusals += 1
                if refusals >= MAX_REFUSALS:
                    raise
            outcome = "deleted"
        return outcome

    def _settled(self, name: str, action: str, timeout_seconds: float) -> Endpoint | None:
        """The endpoint once no operation is under way on it."""
        for _ in pauses(action, timeout_seconds):
            found = self.get(name)
            if found is None or phase("endpoint", found.state, name) is not Phase.ACTIVE:
                return found
        return None

    @staticmethod
    def _up(found: Endpoint, action: str) -> Endpoint:
        if phase("endpoint", found.state, found.name) is not Phase.SUCCEEDED:
            raise OperationFailed(
                f"Cannot {action}: it is in state {found.state!r}; delete it and try again."
            )
        return found
