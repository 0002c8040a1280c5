"""The parts of the running service, composed once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.throttling import Limits
from azureml_local.compute.clusters import Clusters
from azureml_local.compute.nodes import Nodes
from azureml_local.compute.quota import Quota
from azureml_local.engine import sas
from azureml_local.engine.clock import Clock
from azureml_local.engine.faults import Faults
from azureml_local.engine.identity import Identity
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.operations import Operations
from azureml_local.engine.store import Store
from azureml_local.jobs.history import History
from azureml_local.jobs.runner import Runner
from azureml_local.mlflow.metrics import MetricStore
from azureml_local.online.access import Access
from azureml_local.online.deployments import Deployments
from azureml_local.online.endpoints import Endpoints
from azureml_local.online.front_door import FrontDoor
from azureml_local.online.images import Images
from azureml_local.online.pools import Pools
from azureml_local.online.settings import DeploymentSettings
from azureml_local.online.sources import Sources
from azureml_local.online.workloads import Workloads
from azureml_local.settings import Settings
from azureml_local.storage.uris import Uris


class Service:
    """The only place that sees all parts; only ``front`` and ``control`` are given it.

    Attributes:
        parts: everything that routes may be given, in the order of the start: all the state there is.
        ready: whether requests are served; not while the service starts, ends or takes another state.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.ready = settings, False
        self.account_key = sas.account_key(settings)
        self.store = Store(settings.home / "state.db")
        self.metrics = MetricStore(settings.home / "metrics.db")
        self.clock = Clock(settings.time_policy)
        self.faults = Faults()
        self.limits = Limits()
        self.identity = Identity(settings)
        self.operations = Operations(self.store, self.clock, self.faults, settings.base_url)
        self.history = History(self)
        self.nodes = Nodes(self.store)
        self.runner = Runner(self)
        self.quota = Quota(self.store)
        self.clusters = Clusters(self.store, self.operations, self.nodes, self.quota)
        self.pools = Pools(settings)
        self.endpoints = Endpoints(self.store, self.operations, self.pools, settings.base_url)
        self.access = Access(self.store, self.identity, settings.base_url)
        uris = Uris(self)
        images, sources = Images(self.store, uris), Sources(self.store, uris)
        self.deployments = Deployments(
            self.store,
            self.operations,
            self.endpoints,
            self.quota,
            DeploymentSettings(sources, images),
            Workloads(settings, self.faults, sources, images),
            self.pools,
        )
        self.front_door = FrontDoor(self.store, self.access, self.pools)
        self.parts: tuple[Part, ...] = (
            self.store,
            self.metrics,
            self.clock,
            self.faults,
            self.limits,
            self.identity,
            _Files(self),
            self.runner,
            self.nodes,
            self.quota,
            self.clusters,
            self.pools,
            self.endpoints,
            self.access,
            self.deployments,
            self.front_door,
            _Nouns(self),
            # Last: what was under way finds all else as it was.
            self.operations,
        )

    async def start(self) -> None:
        """Start the parts in order, and serve."""
        for part in self.parts:
            await part.start()
        self.ready = True

    async def stop(self) -> None:
        """Serve no longer, and stop the parts in the opposite order."""
        self.ready = False
        for part in reversed(self.parts):
            await part.stop()

    async def closed(self, work: Callable[[], None]) -> None:
        """Call ``work`` in a thread, and answer 503 to every request meanwhile.

        Raises:
            ArmError: 409 if requests are not served anyway.
        """
        async with self._closed():
            await asyncio.to_thread(work)

    async def stopped(self, change: Callable[[], None]) -> None:
        """Stop all parts, call ``change`` in a thread, and start again from the state that it leaves.

        Raises:
            ArmError: 409 if requests are not served anyway.
        """
        async with self._closed():
            for part in reversed(self.parts):
                await part.stop()
            await asyncio.to_thread(change)
            for part in self.parts:
                await part.start()

    @asynccontextmanager
    async def _closed(self) -> AsyncIterator[None]:
        if not self.ready:
            raise ArmError(
                409, "ConflictingOperation", "The state is being replaced: wait for /_local/ready."
            )
        self.ready = False
        try:
            yield
        finally:
            self.ready = True


class _Files(Part):
    """Blobs and data sets of the Hub, until their wings have parts of their own."""

    def __init__(self, service: Service) -> None:
        self._service, self._home = service, service.settings.home

    async def start(self) -> None:
        from azureml_local.storage import datastores, files

        files.ensure_containers(self._service)
        await datastores.startup(self._service)

    def clear(self) -> None:
        for name in ("blobs", "hub"):
            shutil.rmtree(self._home / name, ignore_errors=True)

    def save(self, folder: Path) -> None:
        for name in ("blobs", "hub"):
            if (self._home / name).is_dir():
                shutil.copytree(self._home / name, folder / name, symlinks=True)

    def load(self, folder: Path) -> None:
        self.clear()
        for name in ("blobs", "hub"):
            if (folder / name).is_dir():
                shutil.copytree(folder / name, self._home / name, symlinks=True)


class _Nouns(Part):
    """Handlers and start of the wings that have no parts of their own yet."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def register(self) -> None:
        """Register the verbs; the routes are imported only now, as they import the service."""
        from functools import partial

        from azureml_local.jobs import routes as jobs
        from azureml_local.registry import routes as registry

        for name, handler in {
            "jobs.cancel": jobs._cancel,
            "jobs.delete": jobs._delete,
            "registryAssets.publish": registry._publish,
        }.items():
            self._service.operations.register(name, partial(handler, self._service))

    async def start(self) -> None:
        self.register()
