"""The replicas behind all deployments: started, replaced, scaled, surely ended."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from azureml_local.engine.lifecycle import Part
from azureml_local.online.replicas import Replica
from azureml_local.online.servers import ContainerError
from azureml_local.online.workloads import Workload
from azureml_local.routing import part
from azureml_local.settings import Settings

if TYPE_CHECKING:
    import httpx


class Pool:
    """The replicas of one deployment.

    Attributes:
        workload: what they run.
        waiting: requests that they have or that wait for them.
    """

    def __init__(self, workload: Workload, replicas: list[Replica]) -> None:
        self.workload, self.replicas = workload, replicas
        self.waiting = 0
        self._turn = itertools.count()
        self._last: dict[Replica, int] = {}

    @property
    def healthy(self) -> bool:
        """Whether any replica answers."""
        return any(replica.healthy for replica in self.replicas)

    @property
    def most(self) -> int:
        """Requests that may be in progress: twice what the replicas take at once.

        Source: the troubleshooting page of online endpoints, on status 429.
        """
        return 2 * self.workload.concurrency * len(self.replicas)

    @asynccontextmanager
    async def replica(self) -> AsyncIterator[Replica]:
        """The replica whose turn it is, once it has a free slot; raises ContainerError if none answers."""
        # The least busy one; of equals, the one whose last request is the longest ago.
        able = [one for one in self.replicas if one.healthy]
        if not able:
            raise ContainerError("No instance of the deployment is running.")
        chosen = min(able, key=lambda one: (one.busy, self._last.get(one, -1)))
        self._last[chosen] = next(self._turn)
        chosen.busy += 1
        self.waiting += 1
        try:
            async with chosen.slots:
                yield chosen
        finally:
            chosen.busy -= 1
            self.waiting -= 1


class Pools(Part):
    """All deployments' replicas, by ``<endpoint>/<deployment>``."""

    def __init__(self, settings: Settings) -> None:
        self._home = settings.home / "endpoints"
        self._pools: dict[str, Pool] = {}
        self._http: httpx.AsyncClient | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        """The one client that speaks with the processes; making one takes longer than a request."""
        if self._http is None:
            import httpx  # only a deployment needs it

            # Kept for less time than any server keeps them.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=200, keepalive_expiry=1.0)
            self._http = httpx.AsyncClient(trust_env=False, timeout=None, limits=limits)  # noqa: S113 # callers limit  # nosec B113
        return self._http

    def get(self, key: str) -> Pool | None:
        """The replicas of a deployment, None if there are none."""
        return self._pools.get(key)

    def folder(self, key: str) -> Path:
        """Where the logs and mounted files of a deployment, or of all of an endpoint, lie."""
        return self._home / key

    async def launch(self, key: str, workload: Workload, count: int) -> None:
        """Start a deployment's replicas; the old ones answer until the new ones do.

        Raises:
            ContainerError: if one does not come up; the old ones go on.
        """
        pool = Pool(workload, await self._new(workload, count))
        # Only now, so that an update loses no request.
        old = self._pools.get(key)
        self._pools[key] = pool
        if old is not None:
            await asyncio.gather(*(replica.retire() for replica in old.replicas))

    async def scale(self, key: str, count: int) -> None:
        """Have so many replicas, and keep those that there are as far as they go.

        Raises:
            KeyError: if the deployment has none.
            ContainerError: if a new one does not come up.
        """
        pool = self._pools[key]
        if count > len(pool.replicas):
            pool.replicas += await self._new(pool.workload, count - len(pool.replicas))
        spare = pool.replicas[count:]
        del pool.replicas[count:]
        await asyncio.gather(*(replica.retire() for replica in spare))

    async def _new(self, workload: Workload, count: int) -> list[Replica]:
        replicas = [Replica(workload, self.http) for _ in range(count)]
        starts = [asyncio.create_task(replica.start()) for replica in replicas]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            await _stop(replicas)
            raise
        return replicas

    async def end(self, key: str) -> None:
        """End a deployment's replicas, if there are any."""
        pool = self._pools.pop(key, None)
        if pool is not None:
            await _stop(pool.replicas)

    async def remove(self, key: str) -> None:
        """End the replicas of a deployment, and drop its folder, or that of a whole endpoint."""
        await self.end(key)
        await asyncio.to_thread(shutil.rmtree, self.folder(key), ignore_errors=True)

    async def stop(self) -> None:
        """End every process."""
        await asyncio.gather(*(self.end(key) for key in list(self._pools)))
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def clear(self) -> None:
        """Drop all logs and mounted files."""
        shutil.rmtree(self._home, ignore_errors=True)


async def _stop(replicas: list[Replica]) -> None:
    await asyncio.gather(*(replica.stop() for replica in replicas))


PoolsDep = Annotated[Pools, part(Pools)]
