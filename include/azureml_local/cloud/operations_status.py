"""Where a client asks how its long-running operation goes, for endpoints, deployments, jobs and computes."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from azureml_local.arm.grammar import LOCATION_PATH, Json, not_found
from azureml_local.engine.store import Document, Store
from azureml_local.routing import StoreDep, authorized_router

_RETRY = {"Retry-After": "1"}

router = authorized_router(LOCATION_PATH, __doc__)


def _operation(store: Store, name: str) -> Document:
    """The operation of an id in MFE's form ``oe:<workspace>:<id>`` or plain."""
    document = store.get("operations", name.rpartition(":")[2])
    if document is None:
        raise not_found("The operation", name, "this location")
    return document


def _status(store: Store, name: str) -> JSONResponse:
    document = _operation(store, name)
    body: Json = {"status": document["status"]}
    if document["status"] == "Failed":
        body["error"] = document["error"]
    if document["status"] != "InProgress":
        body |= {"name": name, "startTime": document["started"], "endTime": document["ended"]}
    return JSONResponse(body, headers=_RETRY if document["status"] == "InProgress" else {})


def _result(store: Store, name: str) -> Response:
    document = _operation(store, name)
    if document["status"] == "InProgress":
        # Without a Location of its own the client goes on asking here.
        return JSONResponse(None, 202, headers=_RETRY)
    if document["status"] == "Failed":
        return JSONResponse({"error": document["error"]}, 400)
    return Response(status_code=200)


@router.get("/mfeOperationsStatus/{name}")
async def mfe_status(name: str, store: StoreDep) -> Any:
    """State of an operation on an endpoint, deployment or job."""
    return _status(store, name)


@router.get("/mfeOperationResults/{name}")
async def mfe_result(name: str, store: StoreDep) -> Any:
    """202 while it goes on, 200 when it is done."""
    return _result(store, name)


@router.get("/computeOperationsStatus/{name}")
async def compute_status(name: str, store: StoreDep) -> Any:
    """State of an operation on a compute."""
    return _status(store, name)


@router.get("/computeOperationsResults/{name}")
@router.get("/computeOperationResults/{name}")
async def compute_result(name: str, store: StoreDep) -> Any:
    """202 while it goes on, 200 when it is done."""
    return _result(store, name)
