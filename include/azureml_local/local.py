"""The parts of the running service, put together once and handed to every route."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from include.azureml_local import incoming, sas
from include.azureml_local.arm import Scope, workspace_scope
from include.azureml_local.containers import Containers
from include.azureml_local.faults import Faults
from include.azureml_local.history import History
from include.azureml_local.identity import Identity
from include.azureml_local.limits import Limits
from include.azureml_local.metric_store import MetricStore
from include.azureml_local.operations import Operations
from include.azureml_local.runner import Runner
from include.azureml_local.settings import Settings
from include.azureml_local.states import Clock
from include.azureml_local.store import Store


class Local:
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


async def _local(request: Request) -> Local:
    return cast(Local, request.app.state.local)


LocalDep = Annotated[Local, Depends(_local)]
"""Parameter type of a route that needs the service's parts."""

ScopeDep = Annotated[Scope, Depends(workspace_scope)]
"""Parameter type of a route below a workspace; refuses a workspace that does not exist."""


async def require_token(request: Request, local: LocalDep) -> None:
    """FastAPI dependency: refuses a request that carries no valid bearer token.

    Raises:
        ArmError: 401.
    """
    local.identity.require(request.headers.get("Authorization"))


def authorized_router(prefix: str = "") -> APIRouter:
    """A router all of whose routes need a bearer token and what ARM asks of every request.

    Args:
        prefix: path before every route, for example :data:`include.azureml_local.arm.WORKSPACE_PATH`.
    """
    return APIRouter(prefix=prefix, dependencies=[Depends(require_token), Depends(incoming.check)])
