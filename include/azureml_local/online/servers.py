"""One inference server: a process that is launched, probed, kept within its memory, and ended."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import TYPE_CHECKING

from azureml_local.engine import memory
from azureml_local.engine.processes import Process
from azureml_local.online.logs import LOGS, SERVER, last_lines, write_line
from azureml_local.online.workloads import Workload

if TYPE_CHECKING:
    import httpx

# Lines of the log that a failure carries.
LOG_LINES = 30
# Word in the log and the failure of a server that held more memory than its VM has.
OUT_OF_MEMORY = "OOMKilled"
_TICK = 0.5


class ContainerError(Exception):
    """The process ended, or did not answer in time; the message has the end of its log."""


class InferenceServer:
    """The process behind a replica; launched anew whenever it falls.

    Attributes:
        name: for tasks and logs.
        healthy: whether it answers.
    """

    def __init__(self, workload: Workload, http: httpx.AsyncClient) -> None:
        self._workload, self._http = workload, http
        self._process: Process | None = None
        self._port = 0
        self._killed = ""
        self.name, self.healthy = str(workload.folder), False

    @property
    def url(self) -> str:
        """Base address of the process."""
        return f"http://127.0.0.1:{self._port}"

    async def launch(self) -> None:
        """Start the process; it is not healthy yet."""
        self._port, self._killed = _free_port(), ""
        self._process = await Process.start(
            [*self._workload.command, "--port", str(self._port)],
            folder=self._workload.cwd,
            environment=self._workload.environment,
            log=self._workload.folder / LOGS[SERVER],
        )

    async def end(self) -> None:
        """End the process, if there is one."""
        self.healthy = False
        if self._process is not None:
            await self._process.stop()

    async def until_healthy(self) -> None:
        """Return when the process answers; raises ContainerError if it ends before, or all its probes fail."""
        deadline = time.monotonic() + self._workload.probe.patience
        while True:
            self._check_memory()
            if self._process is None or self._process.ended:
                raise ContainerError(await self.explain_end("before it was healthy"))
            if await self._answers():
                self.healthy = True
                return
            if time.monotonic() > deadline:
                self.log("Liveness probe failed: the container is ended.")
                raise ContainerError(
                    f"The user container was not healthy within {self._workload.probe.patience:.0f} s, "
                    f"all its probes allow. Its log ends with:\n{self._end_of_log()}"
                )
            await asyncio.sleep(0.1)

    async def until_it_falls(self) -> None:
        """Return when the process has ended, or does not answer its liveness probe any more."""
        process, probe = self._process, self._workload.probe
        failed, probe_at = 0, time.monotonic() + probe.period
        while process is not None and not process.ended:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await process.wait()
            self._check_memory()
            if process.ended or time.monotonic() < probe_at:
                continue
            failed = 0 if await self._answers_within(probe.timeout) else failed + 1
            probe_at = time.monotonic() + probe.period
            if failed >= probe.failures:
                self.log(f"Liveness probe failed {failed} times: the container is ended.")
                return

    async def explain_end(self, when: str) -> str:
        """How the process ended: exit code, cause, the end of its log."""
        code = await self._process.wait() if self._process else None
        why = f" ({OUT_OF_MEMORY}: {self._killed})" if self._killed else ""
        return (
            f"The user container ended with exit code {code} {when}{why}. "
            f"Its log ends with:\n{self._end_of_log()}"
        )

    def log(self, text: str) -> None:
        """Add a line to the server's log."""
        write_line(self._workload.folder, SERVER, text)

    async def _answers(self, timeout: float = 2.0) -> bool:
        import httpx

        with contextlib.suppress(httpx.HTTPError):
            return (await self._http.get(self.url + "/", timeout=timeout)).status_code == 200
        return False

    async def _answers_within(self, seconds: float) -> bool:
        """Whether it answers in this time; a full queue of new connections, which resets one, is no failure yet."""
        deadline = time.monotonic() + seconds
        while not await self._answers(seconds):
            if time.monotonic() > deadline or self._process is None or self._process.ended:
                return False
            await asyncio.sleep(0.1)
        return True

    def _check_memory(self) -> None:
        limit = self._workload.memory
        held = memory.kill_if_above(self._process.pid, limit) if self._process else None
        if held is not None:
            self._killed = f"{held >> 20} MiB held, {limit >> 20} MiB allowed"
            self.log(f"{OUT_OF_MEMORY}: {self._killed}. The container was killed.")

    def _end_of_log(self) -> str:
        return last_lines(self._workload.folder, SERVER, LOG_LINES)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
