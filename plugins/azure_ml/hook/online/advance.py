"""Creating what takes long, in steps: a worker loops over them, the triggerer waits between them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, Protocol, TypeAlias, TypeVar

from azure_ml.errors import AzureMLError, NoCapacity, NotFound, OperationFailed, QuotaExceeded
from azure_ml.hook import _sdk
from azure_ml.hook._polling import pauses
from azure_ml.hook._translate import translated
from azure_ml.hook.causes import CAPACITY, QUOTA, mentions
from azure_ml.hook.clients import Clients
from azure_ml.hook.online.entities import Deployment, Endpoint
from azure_ml.states import is_active

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


@dataclass(frozen=True)
class Done:
    """Nothing is left to do."""


Progress: TypeAlias = Pending | Done


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


class Spec(Protocol):
    """What to bring about."""

    @property
    def action(self) -> str:
        """Follows "Cannot " in errors."""


S = TypeVar("S", bound=Spec)


# ``advance`` begins the next operation and does not wait; it answers with what to wait for, or that nothing is
# left to do. After the operation has ended, ``resume`` raises its failure or goes on.
class Advancing(ABC, Generic[S]):
    """Base of the nouns that are created in steps."""

    noun: ClassVar[Noun]  # the kind of resource that the operations change

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._operations = Operations(clients)

    @abstractmethod
    def advance(self, spec: S) -> Progress:
        """Begin the next operation, unless one is under way or all is done."""

    @abstractmethod
    def require_up(self, spec: S, pending: Pending | None = None) -> object:
        """The resource, which must be up; otherwise raises why ``pending`` failed."""

    def resume(self, spec: S, pending: Pending) -> Progress:
        """Raise if an operation that :meth:`advance` began has failed; advance otherwise."""
        # The failure of an earlier operation, or of somebody else's, is advance's to repair.
        if pending.operation:
            self.require_up(spec, pending)
        return self.advance(spec)

    def create(self, spec: S, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Advance and wait until all is done; raises as :func:`pauses` and :meth:`require_up`."""
        progress = self.advance(spec)
        for _ in pauses(spec.action, timeout_seconds, sleep):
            if isinstance(progress, Pending) and not self._operations.is_active(progress):
                progress = self.resume(spec, progress)
            if isinstance(progress, Done):
                return


def read_endpoint(clients: Clients, name: str) -> Endpoint | None:
    """The endpoint, or ``None`` if there is none of that name."""
    try:
        with translated(f"read the endpoint {name!r}"):
            return Endpoint.of(clients.workspace_client.online_endpoints.get(name))
    except NotFound:
        return None


def read_deployment(clients: Clients, endpoint: str, name: str) -> Deployment | None:
    """The deployment, or ``None`` if there is none of that name."""
    try:
        with translated(f"read the deployment {name!r} of {endpoint!r}"):
            entity = clients.workspace_client.online_deployments.get(name, endpoint)
            return Deployment.of(entity, endpoint)
    except NotFound:
        return None


def failed_for(reason: str) -> type[AzureMLError]:
    """The class of error for an operation that failed for a reason in words."""
    if mentions(QUOTA, reason):
        return QuotaExceeded
    return NoCapacity if mentions(CAPACITY, reason) else OperationFailed
