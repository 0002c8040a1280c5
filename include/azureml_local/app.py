"""The application: one router a noun, errors in ARM's words, every unknown route a 501 that names it."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from include.azureml_local import resources
from include.azureml_local.arm import ArmError
from include.azureml_local.connections import drop
from include.azureml_local.local import Local

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def create_app(local: Local) -> FastAPI:
    """Put the service together."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        local.operations.resume()
        modules = resource_modules()
        for module in modules:
            if hasattr(module, "startup"):
                await module.startup(local)
        yield
        await local.operations.stop()
        for module in modules:
            if hasattr(module, "shutdown"):
                await module.shutdown(local)

    app = FastAPI(title="Local Azure ML", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.local = local
    app.add_exception_handler(ArmError, _arm_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(Exception, _internal_error)
    for module in resource_modules():
        app.include_router(module.router)
    app.add_api_route("/{path:path}", _unknown, methods=["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"])
    app.add_middleware(_Gate, local=local)
    return app


def resource_modules() -> list[Any]:
    """Every module of the resources package; each has a ``router``, and may have ``startup`` and ``shutdown``."""
    names = sorted(
        info.name for info in pkgutil.iter_modules(resources.__path__) if not info.name.startswith("_")
    )
    modules = [importlib.import_module(f"{resources.__name__}.{name}") for name in names]
    return [module for module in modules if hasattr(module, "router")]


async def _arm_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ArmError)  # noqa: S101 - registered for this type alone
    return error.response()


async def _bad_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
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


class _Gate:
    """Stands before every route: request ids and injected faults. Plain ASGI, so that streams stay streams."""

    def __init__(self, app: AsgiApp, local: Local) -> None:
        self._app, self._local = app, local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_local/"):
            await self._app(scope, receive, send)
            return
        fault = self._local.faults.take_request(scope["method"], scope["path"])
        if fault is not None:
            await asyncio.sleep(fault.delay_seconds)
            if fault.kind == "status":
                answer = ArmError(fault.status, fault.code, fault.message, headers=fault.headers)
                await answer.response()(scope, receive, send)
                return
            if fault.kind == "reset":
                drop(scope["client"])
                return
        lose = fault is not None and fault.kind == "lost_response"
        request_id = str(uuid.uuid4())

        async def reply(message: Message) -> None:
            if lose:
                return
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-ms-request-id", request_id.encode()),
                    (b"x-ms-correlation-request-id", request_id.encode()),
                ]
            await send(message)

        await self._app(scope, receive, reply)
        if lose:
            drop(scope["client"])
