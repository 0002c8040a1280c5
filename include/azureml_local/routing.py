"""What routes declare to be given: the service's parts, the workspace in the path, a valid token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from azureml_local.arm import validation
from azureml_local.arm.grammar import ArmError, Scope, workspace_scope
from azureml_local.arm.throttling import Throttling
from azureml_local.engine.clock import Clock
from azureml_local.engine.faults import Faults
from azureml_local.engine.identity import DATA_PLANE, TRACKING, Identity
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


# What else than ARM's own token opens the routes that begin so.
_ALSO = {"/mlflow/": (*DATA_PLANE, TRACKING), "/mferp/": DATA_PLANE, "/history/": DATA_PLANE}


class GuardedRoute(APIRoute):
    """A route that needs a bearer token, and looks at it before it reads anything of the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler behind the check; it refuses in ARM's words."""
        handler = super().get_route_handler()
        also = next((also for prefix, also in _ALSO.items() if self.path.startswith(prefix)), ())

        async def guarded(request: Request) -> Response:
            identity: Identity = request.app.state.parts[Identity]
            identity.require(request.headers.get("Authorization"), *identity.arm, *also)
            try:
                return await handler(request)
            except HTTPException as error:
                # So FastAPI wraps whatever is raised while it reads a body.
                raise (
                    error.__cause__ if isinstance(error.__cause__, ArmError) else unreadable(error)
                ) from error

        return guarded


def unreadable(error: HTTPException) -> ArmError:
    """FastAPI's own refusal in ARM's words."""
    cause = error.__cause__ or error.detail
    return ArmError(error.status_code, "InvalidRequestContent", f"The request content was invalid: {cause}.")


def authorized_router(prefix: str = "", doc: str | None = None) -> APIRouter:
    """A router all of whose routes need a bearer token and what ARM asks of every request.

    Args:
        prefix: path before every route, for example :data:`azureml_local.arm.grammar.WORKSPACE_PATH`.
        doc: docstring of the module; see :func:`title`.
    """
    return APIRouter(
        prefix=prefix, dependencies=[Depends(validation.check)], route_class=GuardedRoute, tags=title(doc)
    )


def title(doc: str | None) -> list[str | Enum]:
    """Tag of a router: the first line of its module's docstring, as the fidelity document heads its section."""
    return [line] if (line := (doc or "").strip().partition("\n")[0]) else []
