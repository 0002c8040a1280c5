"""What routes declare to be given: the service's parts, the workspace in the path, a valid token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from azureml_local.arm import validation
from azureml_local.arm.grammar import Scope, workspace_scope
from azureml_local.arm.throttling import Throttling
from azureml_local.engine.clock import Clock
from azureml_local.engine.faults import Faults
from azureml_local.engine.identity import Identity
from azureml_local.engine.operations import Operations
from azureml_local.engine.store import Store
from azureml_local.settings import Settings


@cache
def _finder(kind: type) -> Callable[[Request], Awaitable[Any]]:
    async def find(request: Request) -> Any:
        return request.app.state.parts[kind]

    return find


def part(kind: type) -> Any:
    """The dependency that hands a route the service's one part of a type.

    Declare it so: ``store: Annotated[Store, part(Store)]``.
    """
    return Depends(_finder(kind))


StoreDep = Annotated[Store, part(Store)]
OperationsDep = Annotated[Operations, part(Operations)]
SettingsDep = Annotated[Settings, part(Settings)]
IdentityDep = Annotated[Identity, part(Identity)]
ClockDep = Annotated[Clock, part(Clock)]
FaultsDep = Annotated[Faults, part(Faults)]
ThrottlingDep = Annotated[Throttling, part(Throttling)]
# Parameter type of a route below a workspace; refuses a workspace that does not exist.
ScopeDep = Annotated[Scope, Depends(workspace_scope)]


async def require_token(request: Request, identity: IdentityDep) -> None:
    """FastAPI dependency: refuses a request that carries no valid bearer token; ArmError 401 without one."""
    identity.require(request.headers.get("Authorization"))


def authorized_router(prefix: str = "", doc: str | None = None) -> APIRouter:
    """A router all of whose routes need a bearer token and what ARM asks of every request.

    Args:
        prefix: path before every route, for example :data:`azureml_local.arm.grammar.WORKSPACE_PATH`.
        doc: docstring of the module; see :func:`title`.
    """
    dependencies = [Depends(require_token), Depends(validation.check)]
    return APIRouter(prefix=prefix, dependencies=dependencies, tags=title(doc))


def title(doc: str | None) -> list[str | Enum]:
    """Tag of a router: the first line of its module's docstring, as the fidelity document heads its section."""
    return [line] if (line := (doc or "").strip().partition("\n")[0]) else []
