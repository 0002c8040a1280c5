"""Managed online deployments: a model behind an endpoint, each a process of its own."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from include.azureml_local import arm, endpoints
from include.azureml_local import deployment_settings as settings
from include.azureml_local.arm import WORKSPACE_PATH, ArmError, Json, Scope
from include.azureml_local.containers import LOGS, ContainerError
from include.azureml_local.durations import seconds
from include.azureml_local.local import Local, LocalDep, ScopeDep, authorized_router
from include.azureml_local.operations import Operations
from include.azureml_local.settings import LOCATION
from include.azureml_local.store import Document

log = logging.getLogger(__name__)
router = authorized_router(f"{WORKSPACE_PATH}/onlineEndpoints/{{endpoint}}/deployments")
_KIND = "onlineDeployments"
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")


def _render(scope: Scope, document: Document) -> Json:
    endpoint, _, name = document.key.partition("/")
    extra = {field: document.get(field) for field in ("location", "tags", "kind", "identity", "sku")}
    return arm.envelope(
        scope.child("onlineEndpoints", endpoint, "deployments", name),
        document["properties"],
        created=document.created,
        modified=document.modified,
        **extra,
    )


@router.put("/{name}")
async def create(
    endpoint: str, name: str, body: dict[str, Any], scope: ScopeDep, local: LocalDep
) -> JSONResponse:
    """Create a deployment, or change the one that there is."""
    endpoints.endpoint(local, endpoint)
    given = body.get("properties")
    if not _NAME.fullmatch(name) or not isinstance(given, dict):
        raise ArmError(
            400,
            "BadArgument",
            f"Deployment {name!r} needs 'properties' and a name of letters, digits and dashes.",
            target=name,
        )
    endpoints.refuse_if_busy(local, endpoint, name)
    key = f"{endpoint}/{name}"
    old = local.store.get(_KIND, key)
    document = local.store.put(
        _KIND,
        key,
        {
            "properties": settings.properties(local, given, old),
            "location": body.get("location") or LOCATION,
            "tags": body.get("tags") or {},
            "kind": "Managed",
            "sku": settings.sku(body.get("sku")),
        },
    )
    operation = local.operations.begin(f"{_KIND}.{'update' if old else 'create'}", key)
    return JSONResponse(
        _render(scope, document), 200 if old else 201, headers=local.operations.headers(scope, operation)
    )


async def _start(local: Local, key: str) -> None:
    document = local.store.get(_KIND, key)
    if document is None:
        return
    properties = document["properties"]
    probe = properties["livenessProbe"]
    patience = seconds(probe["initialDelay"]) + seconds(probe["period"]) * int(probe["failureThreshold"])
    environment = {name: str(value) for name, value in properties["environmentVariables"].items()}
    await local.containers.start(
        key, settings.model_folder(local, properties["model"]), patience, environment
    )


@Operations.handler("onlineDeployments.create")
@Operations.handler("onlineDeployments.update")
async def _settle(local: Local, key: str) -> None:
    try:
        await _start(local, key)
    except ContainerError as error:
        raise ArmError(400, "ResourceNotReady", str(error), target=key) from error
    document = local.store.get(_KIND, key)
    if document is not None:
        document["properties"]["provisioningState"] = "Succeeded"
        local.store.put(_KIND, key, document)


@router.get("/{name}")
async def get(endpoint: str, name: str, scope: ScopeDep, local: LocalDep) -> Json:
    """One deployment."""
    return _render(scope, endpoints.deployment(local, endpoint, name))


@router.get("")
async def list_deployments(endpoint: str, request: Request, scope: ScopeDep, local: LocalDep) -> Json:
    """The deployments of an endpoint."""
    endpoints.endpoint(local, endpoint)
    return arm.page(
        request, [_render(scope, document) for document in endpoints.deployments(local, endpoint)]
    )


@router.patch("/{name}")
async def update(
    endpoint: str, name: str, body: dict[str, Any], scope: ScopeDep, local: LocalDep
) -> JSONResponse:
    """Change tags and the number of instances."""
    document = endpoints.deployment(local, endpoint, name)
    endpoints.refuse_if_busy(local, endpoint, name)
    if body.get("tags") is not None:
        document["tags"] = body["tags"]
    if body.get("sku"):
        document["sku"] = settings.sku(body["sku"])
    document["properties"]["provisioningState"] = "Updating"
    document = local.store.put(_KIND, document.key, document)
    operation = local.operations.begin(f"{_KIND}.scale", document.key)
    return JSONResponse(
        _render(scope, document), 202, headers=local.operations.headers(scope, operation, delete=True)
    )


@Operations.handler("onlineDeployments.scale")
async def _scale(local: Local, key: str) -> None:
    document = local.store.get(_KIND, key)
    if document is not None:
        document["properties"]["provisioningState"] = "Succeeded"
        local.store.put(_KIND, key, document)


@router.delete("/{name}")
async def delete(endpoint: str, name: str, scope: ScopeDep, local: LocalDep) -> JSONResponse:
    """Remove a deployment; one that has traffic is refused, as the endpoint would go dark."""
    key = f"{endpoint}/{name}"
    document = local.store.get(_KIND, key)
    if document is None:
        return JSONResponse(None, 204)
    endpoints.refuse_if_busy(local, endpoint, name)
    share = endpoints.endpoint(local, endpoint)["properties"]["traffic"].get(name)
    if share:
        raise ArmError(
            400,
            "BadRequest",
            f"Deployment {name!r} has {share} % of the traffic: set it to 0 first.",
            target=name,
        )
    document["properties"]["provisioningState"] = "Deleting"
    local.store.put(_KIND, key, document)
    operation = local.operations.begin(f"{_KIND}.delete", key)
    return JSONResponse(None, 202, headers=local.operations.headers(scope, operation, delete=True))


@Operations.handler("onlineDeployments.delete")
async def _remove(local: Local, key: str) -> None:
    await local.containers.remove(key)
    local.store.delete(_KIND, key)


@router.post("/{name}/getLogs")
async def get_logs(endpoint: str, name: str, body: dict[str, Any], _: ScopeDep, local: LocalDep) -> Json:
    """The last lines of a container's log."""
    document = endpoints.deployment(local, endpoint, name)
    container = body.get("containerType") or "InferenceServer"
    if container not in LOGS:
        raise ArmError(
            400,
            "BadArgument",
            f"containerType {container!r} is none of {', '.join(LOGS)}.",
            target="containerType",
        )
    text = await asyncio.to_thread(
        local.containers.log, document.key, container, int(body.get("tail") or 100)
    )
    return {"content": text}


@router.get("/{name}/skus")
async def list_skus(endpoint: str, name: str, request: Request, _: ScopeDep, local: LocalDep) -> Json:
    """How far the deployment can be scaled."""
    endpoints.deployment(local, endpoint, name)
    capacity = {"minimum": 1, "maximum": 20, "default": 1, "scaleType": "Manual"}
    sku = {
        "resourceType": f"{arm.PROVIDER}/endpoints/deployments",
        "sku": {"name": "Default"},
        "capacity": capacity,
    }
    return arm.page(request, [sku])


async def startup(local: Local) -> None:
    """Bring back the deployments that were running when the service ended."""

    async def back(key: str) -> None:
        try:
            await _start(local, key)
        except (ContainerError, ArmError) as error:
            log.warning("Deployment %s did not come back: %s", key, error)

    for document in local.store.list(_KIND):
        if document["properties"]["provisioningState"] == "Succeeded":
            local.containers.background(back(document.key))


async def shutdown(local: Local) -> None:
    """End all processes of deployments."""
    await local.containers.stop_all()
