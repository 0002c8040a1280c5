"""Creating what takes long, in steps: a worker loops over them, the triggerer waits between them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeAlias, TypeVar

from azure_ml.hook._polling import pauses
from azure_ml.hook.clients import Clients
from azure_ml.hook.online.operations import Noun, Operations, Pending


@dataclass(frozen=True)
class Done:
    """Nothing is left to do."""


Progress: TypeAlias = Pending | Done


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
