"""The application: one router a noun, errors in ARM's words, every unknown route a 501 that names it."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.path_case import PathCase
from azureml_local.arm.validation import unreadable
from azureml_local.assets import routes as assets
from azureml_local.cloud import locations, metadata, operations_status, tokens, workspaces
from azureml_local.compute import routes as compute
from azureml_local.control import routes as control
from azureml_local.front.middleware import Middleware
from azureml_local.hub import routes as hub
from azureml_local.jobs import routes as jobs
from azureml_local.jobs import runs
from azureml_local.mlflow import artifacts, experiments
from azureml_local.mlflow import routes as mlflow
from azureml_local.online import routes as online
from azureml_local.online import scoring
from azureml_local.registry import routes as registry
from azureml_local.routing import unreadable as unreadable_request
from azureml_local.service import Service
from azureml_local.settings import Settings
from azureml_local.storage import datastore_routes, reads, writes
from azureml_local.studio import routes as studio

WINGS: dict[str, tuple[APIRouter, ...]] = {
    "cloud": (metadata.router, tokens.router, workspaces.router, locations.router, operations_status.router),
    "storage": (writes.router, reads.router, datastore_routes.router),
    "compute": (compute.router,),
    "assets": (
        assets.codes_router,
        assets.components_router,
        assets.data_router,
        assets.environments_router,
        assets.models_router,
    ),
    "registry": (registry.router,),
    "jobs": (jobs.router, runs.router),
    "mlflow": (artifacts.router, experiments.router, mlflow.router),
    "online": (online.endpoints_router, online.deployments_router, scoring.router),
    "hub": (hub.router,),
    "studio": (studio.router,),
    "control": (control.router,),
}
# Every router, in the order in which routes are matched.
ROUTERS = tuple(router for routers in WINGS.values() for router in routers)


def create_app(service: Service) -> FastAPI:
    """The ASGI application of a service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        # What the start made stays: the collector need not look through it, which takes tens of milliseconds.
        gc.freeze()
        yield
        await service.stop()

    app = FastAPI(title="Local Azure ML", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    app.state.parts = {Settings: service.settings, **{type(part): part for part in service.parts}}
    app.add_exception_handler(ArmError, _arm_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _unreadable)
    app.add_exception_handler(Exception, _internal_error)
    templates = []
    for router in ROUTERS:
        # Not include_router(): it would build every route a second time.
        app.router.routes.extend(router.routes)
        templates += [route.path for route in router.routes if isinstance(route, APIRoute)]
    app.add_api_route("/{path:path}", _unknown, methods=["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"])
    app.add_middleware(Middleware, service=service, path_case=PathCase(templates))
    return app


async def _arm_error(_: Request, error: Exception) -> Response:
    return cast(ArmError, error).response()  # registered for this type alone


async def _bad_request(_: Request, error: Exception) -> Response:
    first = cast(RequestValidationError, error).errors()[0]  # registered for this type alone
    where = ".".join(str(part) for part in first["loc"])
    if first["loc"][0] == "body":
        problem = first.get("ctx", {}).get("error") or first["msg"]
        return unreadable(problem, where.partition(".")[2]).response()
    return ArmError(
        400, "UserError", f"The request is not valid at {where}: {first['msg']}.", target=where
    ).response()


async def _unreadable(_: Request, error: Exception) -> Response:
    """FastAPI wraps in its own error whatever is raised while it reads a body."""
    cause = error.__cause__
    refusal = cause if isinstance(cause, ArmError) else unreadable_request(cast(HTTPException, error))
    return refusal.response()


async def _internal_error(request: Request, error: Exception) -> Response:
    """Any other error, a fault of this service: 500 in ARM's words; the server logs its traceback."""
    reason = f"{error!r}."
    if isinstance(error, (OSError, sqlite3.OperationalError)):
        # The machine's doing, which its owner can mend.
        reason = f"{error}; see that AZUREML_LOCAL_HOME names a folder with free space that it may write."
    message = f"The local Azure ML failed at {request.method} {request.url.path}: {reason}"
    return ArmError(500, "InternalServerError", message).response()


async def _unknown(request: Request) -> Response:
    return ArmError(
        501, "NotImplemented", f"The local Azure ML does not serve {request.method} {request.url.path}."
    ).response()
