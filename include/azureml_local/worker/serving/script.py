"""A deployment's own scoring script: ``init()`` once, ``run(data)`` for each request.

As Azure's inference server does it: the body is handed over as text, the result is written as JSON, an error
of ``run`` is 500 with header ``x-ms-run-function-failed: True``, and the reason stands in the log alone.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import time
import traceback
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from azureml_local.worker.serving import decorated
from azureml_local.worker.serving.app import say
from azureml_local.worker.serving.decorated import Answer, BadRequestError, Call

# Value of the header ``x-ms-server-version``.
SERVER = "azureml-local/1"
_FAILED = "An unexpected error occurred in scoring script. Check the logs for more info."


class ScoringScriptError(Exception):
    """The script cannot be served; the message says why."""


class ScoringScript:
    """The two functions of a script; ``run`` is never called twice at once."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise ScoringScriptError(f"There is no scoring script {file.name} in the deployment's code.")
        sys.path.insert(0, str(file.parent))
        spec = importlib.util.spec_from_file_location("entry_module", file)
        if spec is None or spec.loader is None:
            raise ScoringScriptError(f"The scoring script {file.name} is no Python file.")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        self.function = _function(module, "run", file)
        self._one_at_a_time = threading.Lock()
        say("Calling the user's init function")
        _function(module, "init", file)()
        say("The user's init function has ended")

    def run(self, call: Call) -> Answer:
        """What ``run`` answers.

        Raises:
            BadRequestError: if the body lacks an input that the script declares.
        """
        with self._one_at_a_time:
            return decorated.run(self.function, call)


def _function(module: Any, name: str, file: Path) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if not callable(found):
        raise ScoringScriptError(f"The scoring script {file.name} has no function {name}().")
    return found  # type: ignore[no-any-return]


def make_script_app(file: Path) -> FastAPI:
    """The routes of a scoring script: ``GET /``, ``POST /score``, ``GET /swagger.json``."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.script = await run_in_threadpool(ScoringScript, file)
        yield

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    async def ready() -> Response:
        return Response("Healthy", media_type="text/plain")

    @app.post("/score")
    async def score(request: Request) -> Response:
        url, body = request.url, await request.body()
        call = Call(request.method, url.path, url.query, dict(request.headers), body)
        started = time.monotonic()
        answer = await run_in_threadpool(_scored, app.state.script, call)
        spent = (time.monotonic() - started) * 1000
        say(f"POST /score {answer.status} {spent:.3f}ms")
        headers = {
            "x-ms-run-function-failed": str(answer.status >= 500),
            "x-ms-run-fn-exec-ms": f"{spent:.3f}",
            "x-ms-server-version": SERVER,
            "x-ms-request-id": request.headers.get("x-ms-request-id") or str(uuid.uuid4()),
        }
        own = {name.lower(): value for name, value in answer.headers.items()}
        own.pop("content-length", None)
        media = own.pop("content-type", "application/json")
        return Response(answer.body, answer.status, headers | own, media)

    @app.get("/swagger.json")
    async def swagger(version: int = 2) -> Response:
        own = file.parent / f"swagger{version}.json"
        if not own.is_file():
            declared = decorated.swagger(app.state.script.function) if version == 2 else None
            missing = {"message": f"The code has no file {own.name} and declares no schema."}
            return JSONResponse(declared or missing, 200 if declared else 404)
        return Response(own.read_bytes(), media_type="application/json")

    return app


def _scored(script: ScoringScript, call: Call) -> Answer:
    try:
        return script.run(call)
    except BadRequestError as error:
        return Answer(json.dumps({"message": str(error)}).encode(), 400)
    except Exception:  # the boundary of the process: whatever the script raises is an answer, not a crash
        say("Encountered Exception: " + traceback.format_exc())
        return Answer(json.dumps({"message": _FAILED}).encode(), 500)
