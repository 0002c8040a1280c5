"""Nodes of the clusters: a step waits here until its cluster has as many free as it needs."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Store

SERVERLESS = "serverless"


class Nodes(Part):
    """Counts the nodes in use; first come, first served within a cluster."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._used: Counter[str] = Counter()
        self._line: dict[str, deque[_Place]] = {}

    def size(self, cluster: str) -> int:
        """The most nodes that a cluster can have.

        Raises:
            ArmError: 400 if the workspace has no such cluster, or one that failed.
        """
        document = self._store.get("computes", cluster)
        if document is None:
            raise _not_found(cluster)
        properties = document["properties"]
        if str(properties.get("provisioningState")).lower() == "failed":
            raise ArmError(
                400, "UserError", f"The specified compute {cluster!r} is in state Failed.", target=cluster
            )
        inner = properties.get("properties") or {}
        return int((inner.get("scaleSettings") or {}).get("maxNodeCount") or 1)

    def low_priority(self, cluster: str) -> bool:
        """Whether the cluster's nodes may be taken away."""
        document = self._store.get("computes", cluster)
        inner = (document["properties"].get("properties") or {}) if document else {}
        return str(inner.get("vmPriority")).lower() == "lowpriority"

    def in_use(self, cluster: str) -> int:
        """Nodes that run steps now."""
        return self._used[cluster]

    def check(self, cluster: str, count: int) -> None:
        """Refuse what the cluster can never give.

        Raises:
            ArmError: 400, see :meth:`size`, and for more nodes than the cluster can have.
        """
        size = self.size(cluster)
        if count > size:
            raise ArmError(
                400,
                "UserError",
                f"{count} nodes of compute {cluster!r} are asked for, which has at most {size}.",
            )

    @asynccontextmanager
    async def take(self, cluster: str, count: int) -> AsyncIterator[None]:
        """Hold ``count`` nodes once they are free.

        Raises:
            ArmError: if the cluster is deleted while waiting.
        """
        # A place in line even if nodes are free: those who wait already come first.
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = _Place(turn, count)
        self._line.setdefault(cluster, deque()).append(place)
        self._serve(cluster)
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._used[cluster] -= count
            elif place in self._line.get(cluster, ()):
                self._line[cluster].remove(place)
            self._serve(cluster)

    def dismiss(self, cluster: str) -> None:
        """Refuse all who wait in line for a cluster that is being deleted."""
        for place in self._line.pop(cluster, ()):
            if not place.turn.done():
                place.turn.set_exception(_not_found(cluster))

    def _serve(self, cluster: str) -> None:
        """Let those at the head of the line have what is free; the others sleep on."""
        line = self._line.get(cluster, deque())
        while line:
            first = line[0]
            if first.turn.done():
                line.popleft()
                continue
            try:
                if self._used[cluster] + first.count > self.size(cluster):
                    return
            except ArmError as error:
                first.turn.set_exception(error)
            else:
                self._used[cluster] += first.count
                first.turn.set_result(None)
            line.popleft()


def _not_found(cluster: str) -> ArmError:
    message = f"The specified compute {cluster!r} cannot be found in the workspace."
    return ArmError(400, "UserError", message, target=cluster)


@dataclass(frozen=True, eq=False)
class _Place:
    """A step's place in the line of a cluster."""

    turn: asyncio.Future[None]
    count: int
