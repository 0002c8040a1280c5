"""The processes behind deployments: started, watched, restarted when they fall, surely ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import socket
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from include.azureml_local.processes import Process, base_environment, tail
from include.azureml_local.settings import Settings
from include.azureml_local.store import now

log = logging.getLogger(__name__)

LOG_LINES = 30
"""Lines of the container's log that a failure carries."""
LOGS = {"InferenceServer": "inference-server.log", "StorageInitializer": "storage-initializer.log"}
"""File of each container's log."""
_RESTART_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


class ContainerError(Exception):
    """The process ended, or did not answer in time; the message has the end of its log."""


@dataclass
class Container:
    """One deployment's process.

    Attributes:
        model: folder of the model that it loads.
        port: where it listens, on the loopback interface.
        folder: its logs and home.
        healthy: whether it answers.
        waiting: requests that it is working on.
    """

    model: Path
    port: int
    folder: Path
    process: Process
    healthy: bool = False
    waiting: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Base address of the process."""
        return f"http://127.0.0.1:{self.port}"


class Containers:
    """All deployments' processes, by ``<endpoint>/<deployment>``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: dict[str, Container] = {}
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._http: httpx.AsyncClient | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        """The one client that speaks with the processes; making one takes longer than a request."""
        if self._http is None:
            # A kept connection may be closed by the other end just as it is used again: a 502 out of nothing.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._http = httpx.AsyncClient(trust_env=False, timeout=None, limits=limits)  # noqa: S113 - callers limit
        return self._http

    def get(self, key: str) -> Container | None:
        """The process of a deployment, None if there is none."""
        return self._running.get(key)

    def folder(self, key: str) -> Path:
        """Where a deployment's logs lie."""
        return self._settings.home / "endpoints" / key

    def log(self, key: str, container: str, lines: int) -> str:
        """The last lines of a container's log; ``container`` is a key of :data:`LOGS`."""
        return tail(self.folder(key) / LOGS[container], lines)

    async def start(
        self, key: str, model: Path, seconds: float, environment: dict[str, str] | None = None
    ) -> None:
        """Start a deployment's process, replacing the one that there is, and wait until it answers.

        Args:
            key: ``<endpoint>/<deployment>``.
            model: folder of the model.
            seconds: how long it may take before the probes give up.
            environment: the deployment's own variables.

        Raises:
            ContainerError: if it ends or is not healthy in time.
        """
        await self.stop(key)
        folder = self.folder(key)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOGS["StorageInitializer"]).open("a") as stream:
            size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
            stream.write(f"{now()} Model of {size} bytes mounted from {model.name}.\n")
        container = await self._launch(model, folder, environment or {})
        self._running[key] = container
        try:
            await self._await_health(container, seconds)
        except BaseException:
            self._running.pop(key, None)
            await container.process.stop()
            raise
        self._watchers[key] = asyncio.create_task(self._watch(key, container, seconds), name=f"watch {key}")

    async def stop(self, key: str) -> None:
        """End a deployment's process; nothing happens if there is none."""
        watcher = self._watchers.pop(key, None)
        if watcher is not None:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
        container = self._running.pop(key, None)
        if container is not None:
            await container.process.stop()

    async def remove(self, key: str) -> None:
        """End the process and drop its logs, as deleting a deployment does."""
        await self.stop(key)
        shutil.rmtree(self.folder(key), ignore_errors=True)

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
        await asyncio.gather(*(self.stop(key) for key in list(self._running)))
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _launch(self, model: Path, folder: Path, environment: dict[str, str]) -> Container:
        port = _free_port()
        command = [
            str(self._settings.compute_python),
            str(self._settings.serving_script),
            "--model-dir",
            str(model),
            "--port",
            str(port),
        ]
        process = await Process.start(
            command,
            folder=folder,
            environment=base_environment(self._settings, folder / "home") | environment,
            log=folder / LOGS["InferenceServer"],
        )
        return Container(model, port, folder, process, environment=environment)

    async def _await_health(self, container: Container, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            if container.process.ended:
                code = await container.process.wait()
                raise ContainerError(
                    f"The user container ended with exit code {code} before it was healthy. "
                    f"Its log ends with:\n{self._end_of_log(container)}"
                )
            with contextlib.suppress(httpx.HTTPError):
                if (await self.http.get(container.url + "/", timeout=2)).status_code == 200:
                    container.healthy = True
                    return
            if time.monotonic() > deadline:
                raise ContainerError(
                    f"The user container was not healthy within {seconds:.0f} s, all its probes allow. "
                    f"Its log ends with:\n{self._end_of_log(container)}"
                )
            await asyncio.sleep(0.1)

    async def _watch(self, key: str, container: Container, seconds: float) -> None:
        """Start the process again whenever it falls, each time after a longer pause."""
        falls = 0
        while True:
            code = await container.process.wait()
            container.healthy = False
            log.warning(
                "The container of deployment %s ended with exit code %s and is started again", key, code
            )
            await asyncio.sleep(_RESTART_SECONDS[min(falls, len(_RESTART_SECONDS) - 1)])
            falls += 1
            new = await self._launch(container.model, container.folder, container.environment)
            container.process, container.port = new.process, new.port
            with contextlib.suppress(ContainerError):
                await self._await_health(container, seconds)
                falls = 0

    @staticmethod
    def _end_of_log(container: Container) -> str:
        return tail(container.folder / LOGS["InferenceServer"], LOG_LINES)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
