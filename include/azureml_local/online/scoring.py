"""The front door of online endpoints: who may come in, which deployment answers, how long it may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm.grammar import Json
from azureml_local.engine.store import Document
from azureml_local.online.front_door import FrontDoorDep, RefusedError
from azureml_local.routing import SettingsDep, title

if TYPE_CHECKING:
    import httpx

router = APIRouter(prefix="/inference/{endpoint}", tags=title(__doc__))
_DEPLOYMENT = "azureml-model-deployment"
_FORWARDED = ("content-type", "accept", "x-request-id", "x-ms-request-id", "x-ms-client-request-id")
# Headers of a server that the caller sees.
_KEPT = ("x-ms-run-fn-exec-ms", "x-ms-server-version")


@router.post("/score")
async def score(endpoint: str, request: Request, door: FrontDoorDep) -> Response:
    """Hand a request to a deployment."""
    try:
        document = door.admit(endpoint, request.headers.get("Authorization"))
        named = request.headers.get(_DEPLOYMENT)
        deployment = door.choose(document, named)
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        body = await request.body()
        # A request to a named deployment is a test of that one.
        if not named:
            door.mirror(document, body, headers)
        return _answer(deployment, await door.ask(deployment, body, headers))
    except RefusedError as refusal:
        return refusal.response()


def _answer(deployment: Document, answer: httpx.Response) -> Response:
    name, media = deployment.key.partition("/")[2], answer.headers.get("content-type", "application/json")
    failed = answer.status_code != 200
    headers = {
        _DEPLOYMENT: name,
        "azureml-model-session": name,
        "x-ms-run-function-failed": answer.headers.get("x-ms-run-function-failed", str(failed)),
        **{header: answer.headers[header] for header in _KEPT if header in answer.headers},
    }
    if not failed:
        return Response(answer.content, 200, headers, media)
    # Source: the troubleshooting page: any error of the model is 424 to the caller, its status is in a header.
    headers |= {
        "ms-azureml-model-error-statuscode": str(answer.status_code),
        "ms-azureml-model-error-reason": "model_error",
    }
    return Response(answer.content, 424, headers, media)


@router.get("/")
async def liveness(endpoint: str, door: FrontDoorDep) -> Response:
    """Whether the endpoint is there and a deployment of it answers; open to all, as the real one."""
    try:
        door.endpoint(endpoint)
    except RefusedError as refusal:
        return refusal.response()
    alive = door.answers(endpoint)
    return JSONResponse("Healthy" if alive else "Unhealthy", 200 if alive else 502)


@router.get("/swagger.json")
async def swagger(
    endpoint: str, request: Request, door: FrontDoorDep, settings: SettingsDep, version: str = "2"
) -> Response:
    """The description of the scoring address: that of the deployment's code, or a general one."""
    try:
        document = door.admit(endpoint, request.headers.get("Authorization"))
        named = request.headers.get(_DEPLOYMENT)
        if named or any(document["properties"]["traffic"].values()):
            own = await door.own_description(door.choose(document, named), version)
            if own is not None:
                return Response(own, media_type="application/json")
    except RefusedError as refusal:
        return refusal.response()
    return JSONResponse(_general_description(endpoint, f"{settings.base_url}/inference/{endpoint}"))


def _general_description(title: str, address: str) -> Json:
    answer = {"description": "The model's answer.", "content": {"application/json": {"schema": {}}}}
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {"200": answer},
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "1"},
        "servers": [{"url": address}],
        "paths": {"/score": {"post": operation}},
    }
