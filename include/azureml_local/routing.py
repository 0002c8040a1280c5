"""What routes declare to be given: the parts of the service, the workspace asked for, a valid token."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from azureml_local.arm import validation
from azureml_local.arm.grammar import Scope, workspace_scope
from azureml_local.service import Service


async def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


ServiceDep = Annotated[Service, Depends(_service)]
"""Parameter type of a route that needs the service's parts."""

ScopeDep = Annotated[Scope, Depends(workspace_scope)]
"""Parameter type of a route below a workspace; refuses a workspace that does not exist."""


async def require_token(request: Request, service: ServiceDep) -> None:
    """FastAPI dependency: refuses a request that carries no valid bearer token.

    Raises:
        ArmError: 401.
    """
    service.identity.require(request.headers.get("Authorization"))


def authorized_router(prefix: str = "") -> APIRouter:
    """A router all of whose routes need a bearer token and what ARM asks of every request.

    Args:
        prefix: path before every route, for example :data:`azureml_local.arm.grammar.WORKSPACE_PATH`.
    """
    return APIRouter(prefix=prefix, dependencies=[Depends(require_token), Depends(validation.check)])
