"""Compute clusters (AmlCompute): create, resize, delete, nodes."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.compute import clusters, schemas
from azureml_local.engine.store import Document, now
from azureml_local.locator import ServiceDep
from azureml_local.routing import ScopeDep, authorized_router
from azureml_local.service import Service
from azureml_local.settings import LOCATION

router = authorized_router(f"{grammar.WORKSPACE_PATH}/computes", __doc__)


def _live(local: Service, document: Document) -> Json:
    """The inner properties with the nodes as they are now: those that run steps, those that stay up."""
    inner: Json = document["properties"]["properties"]
    if document["properties"]["provisioningState"] != "Succeeded":
        return inner
    least, running = inner["scaleSettings"]["minNodeCount"], local.nodes.in_use(document.key)
    return inner | clusters.counts(max(least - running, 0), running, max(least, running))


def _body(local: Service, scope: Scope, document: Document) -> Json:
    properties = {
        **document["properties"],
        "properties": _live(local, document),
        "createdOn": document.created,
        "modifiedOn": document.modified,
        "disableLocalAuth": False,
        "isAttachedCompute": False,
    }
    error = document.get("provisioningError")
    if error:
        properties["provisioningErrors"] = [{"error": error}]
    extra = {
        name: document[name]
        for name in ("location", "tags", "identity", "sku")
        if document.get(name) is not None
    }
    return grammar.envelope(
        scope.child("computes", document.key),
        properties,
        created=document.created,
        modified=document.modified,
        **extra,
    )


def _find(local: Service, name: str) -> Document:
    document = local.store.get("computes", name)
    if document is None:
        raise grammar.not_found("Compute", name, "the workspace")
    return document


def _refuse_while_busy(local: Service, name: str) -> None:
    if local.operations.active("computes", name):
        raise ArmError(
            409,
            "ConflictingOperation",
            f"Another operation on compute '{name}' is in progress: wait for its end.",
            target=name,
        )


@router.get("")
async def list_(scope: ScopeDep, local: ServiceDep, request: Request) -> Json:
    """All computes."""
    return grammar.page(request, [_body(local, scope, document) for document in local.store.list("computes")])


@router.get("/{name}")
async def get(name: str, scope: ScopeDep, local: ServiceDep) -> Json:
    """One compute."""
    return _body(local, scope, _find(local, name))


@router.put("/{name}")
async def put(name: str, scope: ScopeDep, local: ServiceDep, body: schemas.Compute) -> Response:
    """Create or change a cluster; a long-running operation.

    Raises:
        ArmError: 400 for what Azure refuses; 409 while another operation runs.
    """
    if not clusters.NAME.fullmatch(name):
        raise ArmError(
            400,
            "BadArgument",
            f"The compute name {name!r} is not valid: 2 to 24 letters, digits and dashes, a letter first.",
            target="name",
        )
    _refuse_while_busy(local, name)
    before, sent = local.store.get("computes", name), body.sent()
    document = local.store.put(
        "computes",
        name,
        {
            "properties": clusters.properties(local, name, sent, before),
            **{field: sent.get(field) for field in ("tags", "identity", "sku")},
            "location": sent.get("location") or LOCATION,
        },
    )
    operation = local.operations.begin("computes.create", name)
    headers = local.operations.headers(scope, operation, "computes")
    return JSONResponse(_body(local, scope, document), 200 if before else 201, headers)


async def _create(local: Service, name: str) -> None:
    document = local.store.get("computes", name)
    if document is None:
        return
    document["properties"]["properties"] |= {
        "allocationState": "Steady",
        "allocationStateTransitionTime": now(),
    }
    document["properties"]["provisioningState"] = "Succeeded"
    local.store.put("computes", name, document)


@router.patch("/{name}")
async def patch(name: str, scope: ScopeDep, local: ServiceDep, body: schemas.ComputeChanges) -> Response:
    """Change the scale settings; a long-running operation."""
    document = _find(local, name)
    _refuse_while_busy(local, name)
    update = body.sent().get("properties") or {}
    inner = document["properties"]["properties"]
    inner["scaleSettings"] = clusters.scale(
        {"scaleSettings": (update.get("properties") or update).get("scaleSettings")}
    )
    document["properties"]["provisioningState"] = "Updating"
    document = local.store.put("computes", name, document)
    operation = local.operations.begin("computes.create", name)
    return JSONResponse(
        _body(local, scope, document), 200, local.operations.headers(scope, operation, "computes")
    )


@router.delete("/{name}")
async def delete(name: str, scope: ScopeDep, local: ServiceDep) -> Response:
    """Delete a cluster; a long-running operation. 404 if there is none, 409 while another operation runs."""
    document = _find(local, name)
    _refuse_while_busy(local, name)
    document["properties"]["provisioningState"] = "Deleting"
    local.store.put("computes", name, document)
    operation = local.operations.begin("computes.delete", name)
    return Response(status_code=202, headers=local.operations.headers(scope, operation, "computes"))


async def _delete(local: Service, name: str) -> None:
    local.store.delete("computes", name)


@router.post("/{name}/listNodes")
async def list_nodes(name: str, scope: ScopeDep, local: ServiceDep) -> Json:
    """The nodes that are up."""
    counts = _live(local, _find(local, name))
    running = counts["nodeStateCounts"]["runningNodeCount"]
    nodes = [
        {
            "nodeId": f"tvmps_{name}_{index}",
            "privateIpAddress": f"10.0.0.{4 + index}",
            "publicIpAddress": None,
            "port": 50000 + index,
            "nodeState": "running" if index < running else "idle",
            "runId": None,
        }
        for index in range(counts["currentNodeCount"])
    ]
    return {"nodes": nodes}
