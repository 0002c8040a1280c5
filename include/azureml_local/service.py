"""The parts of the running service, composed once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.throttling import Throttling
from azureml_local.assets.rules import Assets
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
from azureml_local.hub.repos import Repos
from azureml_local.jobs.history import History
from azureml_local.jobs.launch import Launcher
from azureml_local.jobs.rules import Jobs
from azureml_local.jobs.runner import Runner
from azureml_local.jobs.step import Steps
from azureml_local.jobs.submission import Planner
from azureml_local.mlflow.metrics import MetricStore
from azureml_local.online.access import Access
from azureml_local.online.deployments import Deployments
from azureml_local.online.endpoints import Endpoints
from azureml_local.online.front_door import FrontDoor
from azureml_local.online.images import Images
from azureml_local.online.pools import Pools
from azureml_local.online.served import Served
from azureml_local.online.settings import DeploymentSettings
from azureml_local.online.sources import Sources
from azureml_local.online.workloads import Workloads
from azureml_local.registry.definitions import Definitions
from azureml_local.registry.holdings import Holdings
from azureml_local.settings import Settings
from azureml_local.storage.datastores import Datastores
from azureml_local.storage.files import Files
from azureml_local.storage.http import Blobs
from azureml_local.storage.uris import Uris


class Service:
    """The only place that sees all parts; only ``front`` and ``control`` are given it.

    Attributes:
        parts: everything that routes may be given, in the order of the start: all the state there is.
        ready: whether requests are served; not while the service starts, ends or takes another state.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.ready = settings, False
        self.store = Store(settings.home / "state.db")
        self.metrics = MetricStore(settings.home / "metrics.db")
        self.clock = Clock(settings.time_policy)
        self.faults = Faults()
        self.throttling = Throttling()
        self.identity = Identity(settings)
        self.operations = Operations(self.store, self.clock, self.faults, settings.base_url)
        self.files = Files(settings, sas.account_key(settings))
        self.blobs = Blobs(self.store, self.files, self.identity)
        self.uris = Uris(self.store, self.files, settings.standin)
        self.datastores = Datastores(self.store, settings.port)
        self.assets = Assets(self.store, self.uris, self.files)
        self.holdings = Holdings(self.store, self.files, self.assets, self.operations, settings.standin)
        self.definitions = Definitions(self.store, self.uris)
        self.nodes = Nodes(self.store)
        self.quota = Quota(self.store)
        self.clusters = Clusters(self.store, self.operations, self.nodes, self.quota)
        self.history = History(self.store, self.files)
        launcher = Launcher(settings, self.identity, self.uris, self.history)
        steps = Steps(self.history, self.nodes, self.clock, self.faults, launcher)
        self.runner = Runner(steps, self.operations)
        planner = Planner(self.definitions, self.uris, self.nodes)
        self.jobs = Jobs(
            self.store, self.history, self.metrics, self.blobs, planner, self.runner, self.operations
        )
        self.repos = Repos(self.store, settings)
        self.pools = Pools(settings)
        self.endpoints = Endpoints(self.store, self.operations, self.pools, settings.base_url)
        images, sources = Images(self.store, self.uris), Sources(self.store, self.uris)
        checks = DeploymentSettings(sources, images)
        served = Served(self.store, Workloads(settings, self.faults, sources, images), self.pools)
        self.deployments = Deployments(
            self.store, self.operations, self.endpoints, self.quota, checks, served, self.pools
        )
        self.access = Access(self.store, self.identity, settings.base_url)
        self.front_door = FrontDoor(self.store, self.access, self.pools)
        self.parts: tuple[Part, ...] = (
            self.store,
            self.metrics,
            self.clock,
            self.faults,
            self.throttling,
            self.identity,
            self.files,
            self.blobs,
            self.datastores,
            self.assets,
            self.holdings,
            self.history,
            self.runner,
            self.jobs,
            self.repos,
            self.quota,
            self.clusters,
            self.pools,
            self.endpoints,
            self.deployments,
            self.access,
            self.front_door,
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
