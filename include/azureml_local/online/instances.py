"""One instance of a deployment: a process that is started, probed, started again when it falls, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_local.engine import memory
from azureml_local.engine.processes import Process, tail
from azureml_local.engine.store import now

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

LOG_LINES = 30
"""Lines of the container's log that a failure carries."""
SERVER_LOG = "inference-server.log"
STARTS = 3
"""How often a container is started before its deployment is given up as a crash loop."""
_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_TICK = 0.5
OUT_OF_MEMORY = "OOMKilled"
"""Word that the log and the failure of a container have that held more memory than its VM."""


class ContainerError(Exception):
    """The process ended, or did not answer in time; the message has the end of its log."""


@dataclass(frozen=True)
class Probe:
    """When a container counts as dead; seconds.

    Attributes:
        initial: before the first question.
        period: from one question to the next.
        timeout: for one answer.
        failures: failed questions in a row after which the container is ended and started again.
    """

    initial: float
    period: float
    timeout: float
    failures: int

    @property
    def patience(self) -> float:
        """Seconds that a container has to become healthy."""
        return self.initial + self.period * self.failures


@dataclass(frozen=True)
class Workload:
    """What each instance of a deployment runs.

    Attributes:
        command: the command line without the port.
        folder: where its log lies.
        cwd: folder that it runs in.
        environment: all of its variables.
        probe: its liveness probe.
        memory: bytes that it may hold.
        concurrency: requests that it is handed at once.
        patience: seconds that a request may take, and that an instance is given to end its last ones.
    """

    command: tuple[str, ...]
    folder: Path
    cwd: Path
    environment: dict[str, str] = field(repr=False)
    probe: Probe
    memory: int
    concurrency: int = 1
    patience: float = 5.0


class Instance:
    """One process behind a deployment.

    Attributes:
        healthy: whether it may be handed requests.
        busy: requests that it has or that wait for it.
        slots: one for each request that it may have at once.
    """

    def __init__(self, workload: Workload, http: httpx.AsyncClient) -> None:
        self._workload, self._http = workload, http
        self._watcher: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._port = 0
        self._killed = ""
        self.healthy, self.busy = False, 0
        self.slots = asyncio.Semaphore(workload.concurrency)

    @property
    def url(self) -> str:
        """Base address of the process."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Process id of the guard over the process; 0 if there is none."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start it and wait until it answers, then watch over it.

        Raises:
            ContainerError: if it fell :data:`STARTS` times.
        """
        for attempt in range(1, STARTS + 1):
            try:
                await self._launch()
                await self._await_health()
                break
            except ContainerError as error:
                await self._end()
                if attempt == STARTS:
                    raise ContainerError(f"{error}\nIt was started {STARTS} times: a crash loop.") from error
                self._say(f"The container is started again, for the {attempt + 1}. time.")
                await asyncio.sleep(_PAUSES[attempt - 1])
            except BaseException:
                await self._end()
                raise
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {self._workload.folder}")

    async def retire(self) -> None:
        """End it for good when the requests that it has are answered, or their time is over."""
        deadline = time.monotonic() + self._workload.patience
        while self.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        await self.stop()

    async def stop(self) -> None:
        """End it for good, at once."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
        await self._end()

    async def _end(self) -> None:
        self.healthy = False
        if self._process is not None:
            await self._process.stop()

    async def _launch(self) -> None:
        self._port, self._killed = _free_port(), ""
        self._process = await Process.start(
            [*self._workload.command, "--port", str(self._port)],
            folder=self._workload.cwd,
            environment=self._workload.environment,
            log=self._workload.folder / SERVER_LOG,
        )

    async def _await_health(self) -> None:
        deadline = time.monotonic() + self._workload.probe.patience
        while True:
            self._check_memory()
            if self._process is None or self._process.ended:
                raise ContainerError(await self._end_told("before it was healthy"))
            if await self._alive():
                self.healthy = True
                return
            if time.monotonic() > deadline:
                self._say("Liveness probe failed: the container is ended.")
                raise ContainerError(
                    f"The user container was not healthy within {self._workload.probe.patience:.0f} s, "
                    f"all its probes allow. Its log ends with:\n{self._end_of_log()}"
                )
            await asyncio.sleep(0.1)

    async def _alive(self, timeout: float = 2.0) -> bool:
        import httpx

        with contextlib.suppress(httpx.HTTPError):
            return (await self._http.get(self.url + "/", timeout=timeout)).status_code == 200
        return False

    async def _end_told(self, when: str) -> str:
        code = await self._process.wait() if self._process else None
        why = f" ({OUT_OF_MEMORY}: {self._killed})" if self._killed else ""
        return (
            f"The user container ended with exit code {code} {when}{why}. "
            f"Its log ends with:\n{self._end_of_log()}"
        )

    def _check_memory(self) -> None:
        held = memory.kill_if_above(self.pid, self._workload.memory) if self.pid else None
        if held is not None:
            self._killed = f"{held >> 20} MiB held, {self._workload.memory >> 20} MiB allowed"
            self._say(f"{OUT_OF_MEMORY}: {self._killed}. The container was killed.")

    async def _watch(self) -> None:
        """Start the process again whenever it falls, each time after a longer pause."""
        falls = 0
        while True:
            await self._until_it_falls()
            await self._end()
            log.warning("%s, and is started again", await self._end_told("while it served"))
            await asyncio.sleep(_PAUSES[min(falls, len(_PAUSES) - 1)])
            falls += 1
            await self._launch()
            with contextlib.suppress(ContainerError):
                await self._await_health()
                falls = 0

    async def _until_it_falls(self) -> None:
        """Return when the process has ended, or does not answer its liveness probe any more."""
        process, probe = self._process, self._workload.probe
        failed, ask_at = 0, time.monotonic() + probe.period
        while process is not None and not process.ended:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await process.wait()
            self._check_memory()
            if process.ended or time.monotonic() < ask_at:
                continue
            failed = 0 if await self._alive(probe.timeout) else failed + 1
            ask_at = time.monotonic() + probe.period
            if failed >= probe.failures:
                self._say(f"Liveness probe failed {failed} times: the container is ended.")
                return

    def _say(self, text: str) -> None:
        with (self._workload.folder / SERVER_LOG).open("a") as stream:
            stream.write(f"{now()} {text}\n")

    def _end_of_log(self) -> str:
        return tail(self._workload.folder / SERVER_LOG, LOG_LINES)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
