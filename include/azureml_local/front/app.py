"""The application: one router a noun, errors in ARM's words, every unknown route a 501 that names it."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.path_case import LetterCase
from azureml_local.arm.validation import unreadable
from azureml_local.assets import codes, components, data, environments, models
from azureml_local.cloud import locations, metadata, operations_status, tokens, workspaces
from azureml_local.compute import routes as compute
from azureml_local.control import routes as control
from azureml_local.front.middleware import Gate
from azureml_local.hub import routes as hub
from azureml_local.jobs import artifacts, runs
from azureml_local.jobs import routes as jobs
from azureml_local.mlflow import experiments
from azureml_local.mlflow import routes as mlflow
from azureml_local.online import deployments, endpoints, logs, scoring
from azureml_local.registry import routes as registry
from azureml_local.service import Service
from azureml_local.storage import datastores, reads, writes
from azureml_local.studio import routes as studio

NOUNS: tuple[Any, ...] = (
    writes, reads, metadata, codes, components, compute, control, data, datastores, environments, experiments,
    hub, tokens, scoring, jobs, locations, mlflow, models, logs, deployments, endpoints, operations_status,
    registry, artifacts, runs, studio, workspaces,
)  # fmt: skip
"""Every module that has a ``router``, in the order in which routes are matched; some start and stop something."""


def create_app(local: Service) -> FastAPI:
    """Put the service together."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        local.operations.resume()
        for module in NOUNS:
            if hasattr(module, "startup"):
                await module.startup(local)
        # What the start made stays: the collector need not look through it, which takes tens of milliseconds.
        gc.freeze()
        local.ready = True
        yield
        local.ready = False
        await local.operations.stop()
        for module in NOUNS:
            if hasattr(module, "shutdown"):
                await module.shutdown(local)

    app = FastAPI(title="Local Azure ML", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = local
    app.add_exception_handler(ArmError, _arm_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(Exception, _internal_error)
    templates = []
    for module in NOUNS:
        # Not include_router(): it would build every route a second time.
        app.router.routes.extend(module.router.routes)
        templates += [route.path for route in module.router.routes]
    app.add_api_route("/{path:path}", _unknown, methods=["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"])
    app.add_middleware(Gate, local=local, letter_case=LetterCase(templates))
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


async def _internal_error(request: Request, error: Exception) -> Response:
    """Any other error, which is ours: 500 in ARM's words; the server logs it with its traceback."""
    message = f"The local Azure ML failed at {request.method} {request.url.path}: {error!r}."
    return ArmError(500, "InternalServerError", message).response()


async def _unknown(request: Request) -> Response:
    return ArmError(
        501, "NotImplemented", f"The local Azure ML does not serve {request.method} {request.url.path}."
    ).response()
