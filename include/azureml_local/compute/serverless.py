"""Serverless compute: nodes without a cluster, as many at once as the quota has cores for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from azureml_local.compute import sizes
from azureml_local.compute.quota import Claim, Quota
from azureml_local.engine.lifecycle import Part

# VM size of a job that names none.
DEFAULT_SIZE: Final = "Standard_DS3_v2"
# Seconds after which those in line look again: quota is also freed by clusters, deployments and POST /_local/quota.
_LOOK_AGAIN = 1.0


@dataclass(frozen=True, eq=False)
class _Place:
    """A step's place in the line."""

    claim: Claim
    priority: int


class Serverless(Part):
    """One line for all: higher priorities first, then first come, first served."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._line: list[_Place] = []
        self._freed = asyncio.Event()

    def check(self, instance_type: str | None, count: int, *, low_priority: bool) -> Claim:
        """What a step takes of the quota.

        Raises:
            ArmError: 400 for an unknown VM size, and for more cores than the quota can ever give.
        """
        claim = Claim(sizes.size(instance_type or DEFAULT_SIZE), count, low_priority)
        self._quota.check_limit(claim)
        return claim

    @asynccontextmanager
    async def take(self, owner: str, claim: Claim, priority: int) -> AsyncIterator[None]:
        """Hold nodes for the run ``owner``, once its turn has come and the quota has them."""
        place = _Place(claim, priority)
        self._line.append(place)
        self._line.sort(key=lambda one: -one.priority)
        try:
            while self._line[0] is not place or not self._quota.holds(claim):
                await self._wait()
            self._quota.claims[owner] = claim
        finally:
            self._line.remove(place)
            self._wake()
        try:
            yield
        finally:
            del self._quota.claims[owner]
            self._wake()

    def _wake(self) -> None:
        self._freed.set()
        self._freed = asyncio.Event()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_AGAIN):
                await self._freed.wait()
        except TimeoutError:
            return
