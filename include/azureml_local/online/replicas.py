"""One replica of a deployment: what a pool hands requests to."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from azureml_local.online import crash_loops
from azureml_local.online.servers import InferenceServer
from azureml_local.online.workloads import Workload

if TYPE_CHECKING:
    import httpx


class Replica:
    """A server that is kept up, and the requests that it has.

    Attributes:
        busy: requests that it has or that wait for it.
        slots: one for each request that it may have at once.
    """

    def __init__(self, workload: Workload, http: httpx.AsyncClient) -> None:
        self._server = InferenceServer(workload, http)
        self._keeper: asyncio.Task[None] | None = None
        self._time_to_end = workload.request_timeout
        self.busy = 0
        self.slots = asyncio.Semaphore(workload.concurrency)

    @property
    def healthy(self) -> bool:
        """Whether it may be handed requests."""
        return self._server.healthy

    @property
    def url(self) -> str:
        """Base address of its server."""
        return self._server.url

    async def start(self) -> None:
        """Start its server, wait until it answers, then keep it up.

        Raises:
            ContainerError: if the server is in a crash loop.
        """
        await crash_loops.bring_up(self._server)
        self._keeper = asyncio.create_task(
            crash_loops.keep_up(self._server), name=f"keep up {self._server.name}"
        )

    async def retire(self) -> None:
        """End it for good when the requests that it has are answered, or their time is over."""
        deadline = time.monotonic() + self._time_to_end
        while self.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        await self.stop()

    async def stop(self) -> None:
        """End it for good, at once."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        await self._server.end()
