"""The parts of the running service, put together once and handed to every route."""

from __future__ import annotations

from azureml_local.arm.throttling import Limits
from azureml_local.engine import sas
from azureml_local.engine.clock import Clock
from azureml_local.engine.faults import Faults
from azureml_local.engine.identity import Identity
from azureml_local.engine.operations import Operations
from azureml_local.engine.store import Store
from azureml_local.jobs.history import History
from azureml_local.jobs.runner import Runner
from azureml_local.mlflow.metrics import MetricStore
from azureml_local.online.pools import Containers
from azureml_local.settings import Settings


class Service:
    """The service's state and engines.

    Attributes:
        settings: what was told from outside.
        store: documents on disk.
        clock: time as a policy.
        faults: injected failures.
        limits: how many requests are taken.
        operations: the long-running-operation engine.
        identity: signs and checks tokens.
        history: the runs.
        metrics: histories of their metrics.
        runner: runs jobs.
        containers: the processes behind deployments.
        ready: whether requests are served; not while it starts, ends, or its state is put in another's place.
        account_key: key of the storage account, base64; it signs SAS tokens.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.home / "state.db")
        self.clock = Clock(settings.time_policy)
        self.faults = Faults()
        self.limits = Limits()
        self.identity = Identity(settings)
        self.account_key = sas.account_key(settings)
        self.operations = Operations(self)
        self.history = History(self)
        self.metrics = MetricStore(settings.home / "metrics.db")
        self.runner = Runner(self)
        self.containers = Containers(settings)
        self.ready = False
