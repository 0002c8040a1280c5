"""The routes of a deployment: ``GET /`` says that the model is loaded, ``POST /score`` answers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from azureml_local.worker.serving.loading import Model, load
from azureml_local.worker.serving.score_body import BadBodyError


def say(text: str) -> None:
    """Print a line to the deployment's log at once."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def make_app(folder: Path) -> FastAPI:
    """The deployment's routes; the model is loaded before the first request is answered.

    Args:
        folder: the MLflow model, or a folder that holds it.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        started = time.monotonic()
        app.state.model = await run_in_threadpool(load, folder)
        say(f"model loaded in {time.monotonic() - started:.1f} s: {app.state.model.name}")
        yield

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    async def ready() -> dict[str, str]:
        return {"status": "Healthy"}

    @app.post("/score")
    async def score(request: Request) -> JSONResponse:
        started = time.monotonic()
        status, answer = await _answer(app.state.model, request)
        say(f"POST /score {status} in {time.monotonic() - started:.2f} s")
        return JSONResponse(answer, status)

    return app


async def _answer(model: Model, request: Request) -> tuple[int, Any]:
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError) as error:
        return 400, {"error": {"code": "BadRequest", "message": f"The body is not JSON: {error}."}}
    try:
        return 200, await run_in_threadpool(model.score, body)
    except BadBodyError as error:
        return 400, {"error": {"code": "BadRequest", "message": str(error)}}
    except (
        Exception
    ) as error:  # the boundary of the process: whatever the model raises is an answer, not a crash
        say(f"scoring failed: {error!r}")
        return 500, {"error": {"code": "ScoringError", "message": f"{type(error).__name__}: {error}"}}
