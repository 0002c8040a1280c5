"""Long operations on endpoints and deployments: whether one is under way, and why one failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from azure_ml.errors import AzureMLError, NoCapacity, NotFound, OperationFailed, QuotaExceeded
from azure_ml.hook import _sdk
from azure_ml.hook._translate import translated
from azure_ml.hook.causes import CAPACITY, QUOTA, mentions
from azure_ml.hook.clients import Clients
from azure_ml.hook.online.entities import Endpoint
from azure_ml.hook.online.reads import read_deployment, read_endpoint
from azure_ml.states import Phase, is_active, phase

Noun = Literal["endpoint", "deployment"]


@dataclass(frozen=True)
class Pending:
    """An operation that has to end before the next step."""

    endpoint: str
    deployment: str = ""  # empty: the operation is on the endpoint itself
    operation: str = ""  # path of the operation begun here; empty: an earlier one, or somebody else's

    @property
    def noun(self) -> Noun:
        """The kind of resource under change."""
        return "deployment" if self.deployment else "endpoint"


class Operations:
    """``hook.operations``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def state(self, pending: Pending) -> str | None:
        """The state of the resource that an operation changes; ``None`` if the resource is gone."""
        if pending.deployment:
            deployment = read_deployment(self._clients, pending.endpoint, pending.deployment)
            return deployment.state if deployment else None
        endpoint = read_endpoint(self._clients, pending.endpoint)
        return endpoint.state if endpoint else None

    def is_active(self, pending: Pending) -> bool:
        """Whether an operation is still under way."""
        state = self.state(pending)
        return state is not None and is_active(pending.noun, state, pending.endpoint)

    def reason(self, pending: Pending) -> str:
        """Why an operation failed, in the service's words; empty if the service does not say."""
        try:
            with translated("read why the operation failed"):
                error = _sdk.operation_error(self._clients.token(), pending.operation)
        except AzureMLError:
            return ""
        return f"{error.get('message')} ({error.get('code')})" if error else ""


def require_endpoint_up(clients: Clients, name: str, pending: Pending | None = None) -> Endpoint:
    """The endpoint, which must be in state ``Succeeded``; raises the reason of ``pending`` otherwise."""
    endpoint = read_endpoint(clients, name)
    if endpoint is None:
        raise NotFound(
            f"The endpoint {name!r} has vanished while it was created or changed; somebody has deleted it."
        )
    if phase("endpoint", endpoint.state, name) is not Phase.SUCCEEDED:
        reason = Operations(clients).reason(pending) if pending else ""
        why = f" ({reason})" if reason else ""
        raise failed_for(reason)(
            f"The endpoint {name!r} is in state {endpoint.state!r} and not 'Succeeded'{why}: "
            "delete it and try again."
        )
    return endpoint


def failed_for(reason: str) -> type[AzureMLError]:
    """The class of error for an operation that failed for a reason in words."""
    if mentions(QUOTA, reason):
        return QuotaExceeded
    return NoCapacity if mentions(CAPACITY, reason) else OperationFailed
