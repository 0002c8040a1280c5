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
from azureml_local.compute.serverless import Serverless
from azureml_local.engine import sas
from azureml_local.engine.clock import Clock
from azureml_local.engine.faults import Faults
from azureml_local.engine.identity import Identity
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.operations import Operations
from azureml_local.engine.store import Store
from azureml_local.hub.repos import Repos
from azureml_local.jobs.artifacts import Artifacts
from azureml_local.jobs.downloads import Downloads
from azureml_local.jobs.history import History
from azureml_local.jobs.launch import Launcher
from azureml_local.jobs.machines import Machines
from azureml_local.jobs.mounts import Mounts
from azureml_local.jobs.registration import Registrar
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
        parts: all parts that routes may be given, in the order of the start: all the state there is.
        settings: the configuration of the process.
        faults: injected failures.
        throttling: how many requests are taken.
        identity: signs and checks tokens.
        ready: whether requests are served; not while the service starts, ends or takes another state.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.ready = settings, False
        store = Store(settings.home / "state.db")
        metrics = MetricStore(settings.home / "metrics.db")
        clock = Clock(settings.time_policy)
        self.faults = Faults()
        self.throttling = Throttling()
        self.identity = Identity(settings)
        operations = Operations(store, clock, self.faults, settings.base_url)
        files = Files(settings, sas.account_key(settings))
        blobs = Blobs(store, files, self.identity)
        uris = Uris(store, files, settings)
        datastores = Datastores(store, settings.port)
        assets = Assets(store, uris, files)
        holdings = Holdings(store, files, assets, operations, settings)
        definitions = Definitions(store, uris)
        nodes, quota = Nodes(store), Quota(store)
        machines = Machines(nodes, Serverless(quota))
        clusters = Clusters(store, operations, nodes, quota)
        history = History(store, files)
        registrar, artifacts = Registrar(assets, history, uris), Artifacts(settings, history)
        mounts = Mounts(uris, Downloads(settings))
        launcher = Launcher(settings, self.identity, mounts, history, artifacts)
        steps = Steps(history, machines, clock, self.faults, launcher, registrar)
        runner = Runner(steps, operations)
        planner = Planner(definitions, uris, machines, registrar, settings)
        jobs = Jobs(store, history, metrics, blobs, planner, runner, operations)
        repos = Repos(store, settings)
        pools = Pools(settings)
        endpoints = Endpoints(store, operations, pools, settings.base_url)
        access = Access(store, self.identity, settings.base_url)
        images, sources = Images(store, uris), Sources(store, uris, settings)
        checks = DeploymentSettings(sources, images)
        served = Served(store, Workloads(settings, self.faults, sources, images), pools)
        deployments = Deployments(store, operations, endpoints, quota, checks, served, pools)
        front_door = FrontDoor(store, access, pools)
        self.parts: tuple[Part, ...] = (
            store,
            metrics,
            clock,
            self.faults,
            self.throttling,
            self.identity,
            files,
            blobs,
            datastores,
            assets,
            holdings,
            history,
            runner,
            jobs,
            repos,
            nodes,
            quota,
            clusters,
            pools,
            endpoints,
            access,
            deployments,
            front_door,
            # Last: what was under way finds all else as it was.
            operations,
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
