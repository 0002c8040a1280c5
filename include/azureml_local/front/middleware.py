"""What every request passes before its route: limits, case of the path, readiness, throttling, faults, ids, ETags.

Plain ASGI, so that streams stay streams.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable

from fastapi.responses import Response

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.path_case import PathCase
from azureml_local.control import guard
from azureml_local.engine.faults import Fault
from azureml_local.front.bodies import Body, Message, Receive, Scope
from azureml_local.front.connections import drop
from azureml_local.service import Service

Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
_BUSY = "The local Azure ML is starting, ending, or taking another state: ask again in a second."


class Middleware:
    """The outermost application."""

    def __init__(self, app: AsgiApp, service: Service, path_case: PathCase) -> None:
        self._app, self._service, self._path_case = app, service, path_case

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or let the fault happen that meets it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        receive = Body(scope, receive, self._service.settings.request_seconds)
        if scope["path"].startswith("/_local/"):
            forbidden = guard.refusal(scope["method"], scope["headers"])
            await (forbidden.response() if forbidden else self._app)(scope, receive, send)
            return
        scope["path"] = self._path_case(scope["path"])
        reply = _Reply(scope, send)
        if not self._service.ready:
            refusal = ArmError(503, "ServerBusy", _BUSY, headers={"Retry-After": "1"})
            await refusal.response()(scope, receive, reply)
            return
        if scope["path"].startswith("/subscriptions/"):
            taken = self._service.throttling.take(scope["method"])
            reply.headers.append(taken.header)
            if taken.refusal is not None:
                await taken.refusal.response()(scope, receive, reply)
                return
        faults = self._service.faults
        fault = faults.take_request(scope["method"], scope["path"], _agent(scope)) if faults.waiting else None
        if fault is None:
            await self._app(scope, receive, reply)
        else:
            await self._fail(fault, scope, receive, reply)

    async def _fail(self, fault: Fault, scope: Scope, receive: Receive, reply: _Reply) -> None:
        if fault.kind == "late_response":
            await self._app(scope, receive, _Late(reply, fault.delay_seconds))
            return
        await asyncio.sleep(fault.delay_seconds)
        if fault.kind == "malformed":
            await Response('{"value": [', media_type="application/json")(scope, receive, reply)
        elif fault.kind == "status":
            answer = ArmError(fault.status, fault.code, fault.message, headers=fault.headers)
            await answer.response()(scope, receive, reply)
        elif fault.kind == "reset":
            drop(scope["client"])
        elif fault.kind == "lost_response":
            await self._app(scope, receive, _discard)
            drop(scope["client"])
        else:
            await self._app(scope, receive, reply)


async def _discard(_: Message) -> None:
    """An answer that never arrives."""


def _agent(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")


class _Late:
    """Holds an answer back before its first byte."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send, self._seconds = send, seconds

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(self._seconds)
        await self._send(message)


class _Reply:
    """Sends an answer on with its ids, and an ARM resource that was read with its ETag."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send, self._held = send, None
        self.headers: list[tuple[bytes, bytes]] = []
        self._tagged = scope["method"] == "GET" and scope["path"].startswith(("/subscriptions/", "/mferp/"))

    _held: Message | None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            request_id = str(uuid.uuid4()).encode()
            message["headers"] = [
                *message.get("headers", []),
                *self.headers,
                (b"x-ms-request-id", request_id),
                (b"x-ms-correlation-request-id", request_id),
            ]
            if self._tagged and message["status"] == 200:
                self._held = message
                return
        elif self._held is not None:
            if not message.get("more_body"):
                tag = hashlib.sha256(message.get("body", b"")).hexdigest()[:32]
                self._held["headers"].append((b"etag", f'"{tag}"'.encode()))
            await self._send(self._held)
            self._held = None
        await self._send(message)
