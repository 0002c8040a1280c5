"""The application: one router a noun, errors in ARM's words, every unknown route a 501 that names it."""

from __future__ import annotations

import gc
import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from include.azureml_local import resources
from include.azureml_local.arm import ArmError
from include.azureml_local.gate import Gate
from include.azureml_local.incoming import unreadable
from include.azureml_local.letter_case import LetterCase
from include.azureml_local.local import Local


def create_app(local: Local) -> FastAPI:
    """Put the service together."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        local.operations.resume()
        modules = resource_modules()
        for module in modules:
            if hasattr(module, "startup"):
                await module.startup(local)
        # What the start made stays: the collector need not look through it, which takes tens of milliseconds.
        gc.freeze()
        local.ready = True
        yield
        local.ready = False
        await local.operations.stop()
        for module in modules:
            if hasattr(module, "shutdown"):
                await module.shutdown(local)

    app = FastAPI(title="Local Azure ML", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.local = local
    app.add_exception_handler(ArmError, _arm_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(Exception, _internal_error)
    templates = []
    for module in resource_modules():
        app.include_router(module.router)
        templates += [route.path for route in module.router.routes]
    app.add_api_route("/{path:path}", _unknown, methods=["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"])
    app.add_middleware(Gate, local=local, letter_case=LetterCase(templates))
    return app


def resource_modules() -> list[Any]:
    """Every module of the resources package that has a ``router``; some have ``startup`` and ``shutdown``."""
    names = sorted(
        info.name for info in pkgutil.iter_modules(resources.__path__) if not info.name.startswith("_")
    )
    modules = [importlib.import_module(f"{resources.__name__}.{name}") for name in names]
    return [module for module in modules if hasattr(module, "router")]


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
