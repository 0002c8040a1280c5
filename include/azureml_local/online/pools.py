"""The instances behind all deployments: started, replaced one by one, scaled, surely ended."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azureml_local.engine.processes import tail
from azureml_local.online.instances import SERVER_LOG, ContainerError, Instance, Workload
from azureml_local.settings import Settings

if TYPE_CHECKING:
    import httpx

__all__ = ["LOGS", "ContainerError", "Containers", "Pool"]

LOGS = {"InferenceServer": SERVER_LOG, "StorageInitializer": "storage-initializer.log"}
"""File of each container's log."""


class Pool:
    """The instances of one deployment.

    Attributes:
        workload: what they run.
        waiting: requests that they have or that wait for them.
    """

    def __init__(self, workload: Workload, instances: list[Instance]) -> None:
        self.workload, self.instances = workload, instances
        self.waiting = 0
        self._turn = itertools.count()
        self._last: dict[Instance, int] = {}

    @property
    def healthy(self) -> bool:
        """Whether any instance answers."""
        return any(instance.healthy for instance in self.instances)

    @property
    def most(self) -> int:
        """Requests that may be in progress: twice what the instances take at once.

        Source: the troubleshooting page of online endpoints, on status 429.
        """
        return 2 * self.workload.concurrency * len(self.instances)

    @asynccontextmanager
    async def instance(self) -> AsyncIterator[Instance]:
        """The instance whose turn it is, once it has a free slot.

        Raises:
            ContainerError: if none answers.
        """
        able = [one for one in self.instances if one.healthy]
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


class Containers:
    """All deployments' instances, by ``<endpoint>/<deployment>``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pools: dict[str, Pool] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._http: httpx.AsyncClient | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        """The one client that speaks with the processes; making one takes longer than a request."""
        if self._http is None:
            import httpx  # only a deployment needs it

            # A kept connection may be closed by the other end just as it is used again: a 502 out of nothing.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._http = httpx.AsyncClient(trust_env=False, timeout=None, limits=limits)  # noqa: S113 # callers limit  # nosec B113
        return self._http

    def get(self, key: str) -> Pool | None:
        """The instances of a deployment, None if there are none."""
        return self._pools.get(key)

    def folder(self, key: str) -> Path:
        """Where a deployment's logs and mounted files lie."""
        return self._settings.home / "endpoints" / key

    def log(self, key: str, container: str, lines: int) -> str:
        """The last lines of a container's log; ``container`` is a key of :data:`LOGS`."""
        return tail(self.folder(key) / LOGS[container], lines)

    async def start(self, key: str, workload: Workload, count: int) -> None:
        """Start a deployment's instances; those that there are answer until the new ones do.

        Raises:
            ContainerError: if one does not come up; those that there were go on.
        """
        pool = Pool(workload, await self._new(workload, count))
        old = self._pools.get(key)
        self._pools[key] = pool
        if old is not None:
            await asyncio.gather(*(instance.retire() for instance in old.instances))

    async def scale(self, key: str, count: int) -> None:
        """Have so many instances, the ones that there are kept as far as they go.

        Raises:
            KeyError: if the deployment has none.
            ContainerError: if a new one does not come up.
        """
        pool = self._pools[key]
        if count > len(pool.instances):
            pool.instances += await self._new(pool.workload, count - len(pool.instances))
        spare = pool.instances[count:]
        del pool.instances[count:]
        await asyncio.gather(*(instance.retire() for instance in spare))

    async def _new(self, workload: Workload, count: int) -> list[Instance]:
        made = [Instance(workload, self.http) for _ in range(count)]
        starts = [asyncio.create_task(instance.start()) for instance in made]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            await _stop(made)
            raise
        return made

    async def stop(self, key: str) -> None:
        """End a deployment's instances; nothing happens if there are none."""
        pool = self._pools.pop(key, None)
        if pool is not None:
            await _stop(pool.instances)

    async def remove(self, key: str) -> None:
        """End the instances and drop their logs, as deleting a deployment does."""
        await self.stop(key)
        await asyncio.to_thread(shutil.rmtree, self.folder(key), ignore_errors=True)

    def forget(self, endpoint: str) -> None:
        """Drop what is left of an endpoint's folder."""
        shutil.rmtree(self._settings.home / "endpoints" / endpoint, ignore_errors=True)

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on until it is done or the service ends."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def stop_all(self) -> None:
        """End every process."""
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await asyncio.gather(*(self.stop(key) for key in list(self._pools)))
        if self._http is not None:
            await self._http.aclose()
            self._http = None


async def _stop(instances: list[Instance]) -> None:
    await asyncio.gather(*(instance.stop() for instance in instances))
