"""Where a client asks how its long-running operation goes, for endpoints, deployments, jobs and computes."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from azureml_local.arm import grammar
from azureml_local.arm.grammar import Json, not_found
from azureml_local.engine.store import Document
from azureml_local.locator import ServiceDep
from azureml_local.routing import authorized_router
from azureml_local.service import Service

_LOCATION = f"/subscriptions/{{subscription}}/providers/{grammar.PROVIDER}/locations/{{location}}"
_RETRY = {"Retry-After": "1"}

router = authorized_router(_LOCATION)


def _operation(local: Service, name: str) -> Document:
    """The operation of an id in MFE's form ``oe:<workspace>:<id>`` or plain."""
    found = local.store.get("operations", name.rpartition(":")[2])
    if found is None:
        raise not_found("The operation", name, "this location")
    return found


def _status(local: Service, name: str) -> JSONResponse:
    document = _operation(local, name)
    body: Json = {"status": document["status"]}
    if document["status"] == "Failed":
        body["error"] = document["error"]
    if document["status"] != "InProgress":
        body |= {"name": name, "startTime": document["started"], "endTime": document["ended"]}
    return JSONResponse(body, headers=_RETRY if document["status"] == "InProgress" else {})


def _result(local: Service, name: str) -> Response:
    document = _operation(local, name)
    if document["status"] == "InProgress":
        # Without a Location of its own the client goes on asking here.
        return JSONResponse(None, 202, headers=_RETRY)
    if document["status"] == "Failed":
        return JSONResponse({"error": document["error"]}, 400)
    return Response(status_code=200)


@router.get("/mfeOperationsStatus/{name}")
async def mfe_status(name: str, local: ServiceDep) -> Any:
    """State of an operation on an endpoint, deployment or job."""
    return _status(local, name)


@router.get("/mfeOperationResults/{name}")
async def mfe_result(name: str, local: ServiceDep) -> Any:
    """202 while it goes on, 200 when it is done."""
    return _result(local, name)


@router.get("/computeOperationsStatus/{name}")
async def compute_status(name: str, local: ServiceDep) -> Any:
    """State of an operation on a compute."""
    return _status(local, name)


@router.get("/computeOperationsResults/{name}")
@router.get("/computeOperationResults/{name}")
async def compute_result(name: str, local: ServiceDep) -> Any:
    """202 while it goes on, 200 when it is done."""
    return _result(local, name)
