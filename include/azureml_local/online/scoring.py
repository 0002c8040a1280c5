"""The front door of online endpoints: who may come in, which deployment answers, how long it may take."""

from __future__ import annotations

import asyncio
import logging
import random
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm.durations import seconds
from azureml_local.engine.store import Document
from azureml_local.online import rules
from azureml_local.online.pools import ContainerError, Pool
from azureml_local.routing import ServiceDep
from azureml_local.service import Service

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)
router = APIRouter(prefix="/inference/{endpoint}")
_FORWARDED = ("content-type", "accept", "x-request-id", "x-ms-request-id", "x-ms-client-request-id")
_KEPT = ("x-ms-run-fn-exec-ms", "x-ms-server-version")
"""Headers of a container that the caller sees."""


class RefusedError(Exception):
    """An answer of the front door itself."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def _admitted(local: Service, name: str, request: Request) -> Document:
    document = local.store.get("onlineEndpoints", name)
    if document is None:
        raise RefusedError(404, f"There is no endpoint {name!r}.")
    if not rules.opens(local, document, request.headers.get("Authorization")):
        raise RefusedError(
            401, "The request has no valid key or token. Send one as 'Authorization: Bearer ...'."
        )
    return document


def _chosen(local: Service, document: Document, header: str | None) -> Document:
    """The deployment that the header names, or one drawn by the traffic's shares."""
    if header:
        found = local.store.get("onlineDeployments", f"{document.key}/{header}")
        if found is None:
            raise RefusedError(404, f"The endpoint has no deployment {header!r}.")
        return found
    shares = {name: share for name, share in document["properties"]["traffic"].items() if share}
    if not shares:
        raise RefusedError(
            404,
            "No deployment has traffic: give one a share, or name one in header azureml-model-deployment.",
        )
    drawn = random.choices(list(shares), list(shares.values()))[0]  # noqa: S311 - spreads load, guards nothing
    return _chosen(local, document, drawn)


def _ready(local: Service, deployment: Document) -> Pool:
    pool = local.containers.get(deployment.key)
    if pool is None or not pool.healthy:
        raise RefusedError(502, "The deployment's container is not running; see the deployment's logs.")
    if pool.waiting >= pool.most:
        raise RefusedError(429, f"Too many requests wait for the deployment: {pool.most} at most.")
    return pool


async def _asked(
    client: httpx.AsyncClient, pool: Pool, deployment: Document, body: bytes, headers: dict[str, str]
) -> httpx.Response:
    """The answer of an instance; time in the queue counts towards the request timeout."""
    import httpx

    limit = seconds(deployment["properties"]["requestSettings"]["requestTimeout"])
    try:
        async with asyncio.timeout(limit), pool.instance() as instance:
            return await client.post(f"{instance.url}/score", content=body, headers=headers)
    except TimeoutError as error:
        raise RefusedError(
            408, f"The deployment did not answer within its request timeout of {limit:g} s."
        ) from error
    except (httpx.HTTPError, ContainerError) as error:
        raise RefusedError(502, f"The deployment's container broke off: {type(error).__name__}.") from error


def _mirror(local: Service, document: Document, body: bytes, headers: dict[str, str]) -> None:
    """Send copies to the deployments that mirror traffic; nobody waits for their answers."""

    async def copy(name: str) -> None:
        deployment = local.store.get("onlineDeployments", f"{document.key}/{name}")
        if deployment is None:
            return
        try:
            await _asked(local.containers.http, _ready(local, deployment), deployment, body, headers)
        except RefusedError as refusal:
            log.info("A mirrored request to %s was lost: %s", deployment.key, refusal.message)

    for name, share in (document["properties"].get("mirrorTraffic") or {}).items():
        if random.random() * rules.WHOLE < share:  # noqa: S311 - spreads load, guards nothing
            local.containers.background(copy(name))


def _answered(deployment: Document, answer: httpx.Response) -> Response:
    name = deployment.key.partition("/")[2]
    headers = {
        "azureml-model-deployment": name,
        "azureml-model-session": name,
        "x-ms-run-function-failed": answer.headers.get("x-ms-run-function-failed", "False"),
        **{header: answer.headers[header] for header in _KEPT if header in answer.headers},
    }
    if answer.status_code == HTTPStatus.OK:
        return Response(answer.content, 200, headers, answer.headers.get("content-type", "application/json"))
    # Source: the same page: any error of the model is 424 to the caller, the model's status is in a header.
    headers |= {
        "ms-azureml-model-error-statuscode": str(answer.status_code),
        "ms-azureml-model-error-reason": "model_error",
        "x-ms-run-function-failed": answer.headers.get("x-ms-run-function-failed", "True"),
    }
    return Response(answer.content, 424, headers, answer.headers.get("content-type", "application/json"))


@router.post("/score")
async def score(endpoint: str, request: Request, local: ServiceDep) -> Response:
    """Hand a request to a deployment."""
    try:
        document = _admitted(local, endpoint, request)
        named = request.headers.get("azureml-model-deployment")
        deployment = _chosen(local, document, named)
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        body = await request.body()
        if not named:
            _mirror(local, document, body, headers)
        answer = await _asked(local.containers.http, _ready(local, deployment), deployment, body, headers)
        return _answered(deployment, answer)
    except RefusedError as refusal:
        return JSONResponse(
            {"error": {"code": str(refusal.status), "message": refusal.message}}, refusal.status
        )


@router.get("/")
async def liveness(endpoint: str, local: ServiceDep) -> Response:
    """Whether the endpoint is there and a deployment of it answers; open to all, as the real one."""
    if local.store.get("onlineEndpoints", endpoint) is None:
        return JSONResponse({"error": {"code": "404", "message": f"There is no endpoint {endpoint!r}."}}, 404)
    keys = [document.key for document in rules.deployments(local, endpoint)]
    alive = any((pool := local.containers.get(key)) is not None and pool.healthy for key in keys)
    return JSONResponse("Healthy" if alive else "Unhealthy", 200 if alive else 502)


async def _own_swagger(local: Service, deployment: Document, version: str) -> bytes | None:
    """The description that a deployment's code brings along, if it has one and answers."""
    import httpx

    pool = local.containers.get(deployment.key)
    if pool is None or not pool.healthy:
        return None
    try:
        async with pool.instance() as instance:
            address = f"{instance.url}/swagger.json"
            found = await local.containers.http.get(address, params={"version": version}, timeout=5)
    except (httpx.HTTPError, ContainerError):
        return None
    return found.content if found.status_code == HTTPStatus.OK else None


@router.get("/swagger.json")
async def swagger(endpoint: str, request: Request, local: ServiceDep, version: str = "2") -> Response:
    """The description of the scoring address: that of the deployment's code, or a general one."""
    try:
        document = _admitted(local, endpoint, request)
        shares = document["properties"]["traffic"]
        named = request.headers.get("azureml-model-deployment")
        deployment = _chosen(local, document, named) if named or any(shares.values()) else None
        own = await _own_swagger(local, deployment, version) if deployment else None
        if own is not None:
            return Response(own, media_type="application/json")
    except RefusedError as refusal:
        return JSONResponse(
            {"error": {"code": str(refusal.status), "message": refusal.message}}, refusal.status
        )
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {
            "200": {"description": "The model's answer.", "content": {"application/json": {"schema": {}}}}
        },
    }
    return JSONResponse(
        {
            "openapi": "3.0.3",
            "info": {"title": document.key, "version": "1"},
            "servers": [{"url": f"{local.settings.base_url}/inference/{endpoint}"}],
            "paths": {"/score": {"post": operation}},
        }
    )
