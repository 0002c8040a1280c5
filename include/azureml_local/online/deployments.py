"""Managed online deployments: a model behind an endpoint, each a process of its own."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from azureml_local.arm import grammar
from azureml_local.arm.grammar import WORKSPACE_PATH, ArmError, Json, Scope
from azureml_local.compute import sizes
from azureml_local.engine.operations import Operations
from azureml_local.engine.store import Document
from azureml_local.online import rules, settings, workloads
from azureml_local.online.pools import ContainerError
from azureml_local.routing import ScopeDep, ServiceDep, authorized_router
from azureml_local.service import Service
from azureml_local.settings import LOCATION

log = logging.getLogger(__name__)
router = authorized_router(f"{WORKSPACE_PATH}/onlineEndpoints/{{endpoint}}/deployments")
_KIND = "onlineDeployments"
_SERVED = "servedDeployments"
"""Kind of the deployments as they last came up: what answers after an update that failed."""
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")


def _render(scope: Scope, document: Document) -> Json:
    endpoint, _, name = document.key.partition("/")
    extra = {field: document.get(field) for field in ("location", "tags", "kind", "identity", "sku")}
    return grammar.envelope(
        scope.child("onlineEndpoints", endpoint, "deployments", name),
        document["properties"],
        created=document.created,
        modified=document.modified,
        **extra,
    )


@router.put("/{name}")
async def create(
    endpoint: str, name: str, body: dict[str, Any], scope: ScopeDep, local: ServiceDep
) -> JSONResponse:
    """Create a deployment, or change the one that there is."""
    rules.endpoint(local, endpoint)
    given = body.get("properties")
    if not _NAME.fullmatch(name) or not isinstance(given, dict):
        raise ArmError(
            400,
            "BadArgument",
            f"Deployment {name!r} needs 'properties' and a name of letters, digits and dashes.",
            target=name,
        )
    rules.refuse_if_busy(local, endpoint, name)
    key = f"{endpoint}/{name}"
    old = local.store.get(_KIND, key)
    told, sku = settings.properties(local, given, old), settings.sku(body.get("sku"))
    settings.check_quota(local, key, told["instanceType"], sku["capacity"])
    verb = _verb(local, old, told)
    document = local.store.put(
        _KIND,
        key,
        {
            "properties": told,
            "location": body.get("location") or LOCATION,
            "tags": body.get("tags") or {},
            "kind": "Managed",
            "sku": sku,
        },
    )
    operation = local.operations.begin(f"{_KIND}.{verb}", key)
    return JSONResponse(
        _render(scope, document), 200 if old else 201, headers=local.operations.headers(scope, operation)
    )


def _verb(local: Service, old: Document | None, told: Json) -> str:
    """What a PUT does; one that leaves all but the number of instances as it was does not restart any."""
    if old is None:
        return "create"
    # What failed to update still runs as it was before, so it has to be started whatever is asked.
    same = old["properties"] | {"provisioningState": "Updating"} == told and _healthy(old)
    return "scale" if same and local.containers.get(old.key) is not None else "update"


def _healthy(document: Document) -> bool:
    return bool(document["properties"]["provisioningState"] == "Succeeded")


async def _start(local: Service, key: str, kind: str = _KIND) -> None:
    document = local.store.get(kind, key)
    if document is None:
        return
    await workloads.provision(local, document)
    workload = await asyncio.to_thread(workloads.prepare, local, document)
    await local.containers.start(key, workload, int(document["sku"]["capacity"]))


def _succeeded(local: Service, key: str) -> None:
    document = local.store.get(_KIND, key)
    if document is not None:
        document["properties"]["provisioningState"] = "Succeeded"
        document.pop("provisioningError", None)
        local.store.put(_SERVED, key, {field: document[field] for field in ("properties", "sku")})
        local.store.put(_KIND, key, document)


@Operations.handler("onlineDeployments.create")
@Operations.handler("onlineDeployments.update")
async def _settle(local: Service, key: str) -> None:
    document = local.store.get(_KIND, key)
    if document is None:
        return
    # The request was accepted; the machines are asked for now, and others may have taken them meanwhile.
    size = sizes.size(document["properties"]["instanceType"])
    missing = sizes.lacking(local, key, size, int(document["sku"]["capacity"]))
    if missing is not None:
        raise ArmError(400, "OutOfQuota", missing, target=key)
    try:
        await _start(local, key)
    except (ContainerError, ArmError) as error:
        if local.containers.get(key) is None:
            # The service was killed during the update: what answered before it is to answer again.
            local.containers.background(_back(local, key))
        if isinstance(error, ArmError):
            raise
        raise ArmError(400, "ResourceNotReady", str(error), target=key) from error
    _succeeded(local, key)


@router.get("/{name}")
async def get(endpoint: str, name: str, scope: ScopeDep, local: ServiceDep) -> Json:
    """One deployment."""
    return _render(scope, rules.deployment(local, endpoint, name))


@router.get("")
async def list_deployments(endpoint: str, request: Request, scope: ScopeDep, local: ServiceDep) -> Json:
    """The deployments of an endpoint."""
    rules.endpoint(local, endpoint)
    return grammar.page(
        request, [_render(scope, document) for document in rules.deployments(local, endpoint)]
    )


@router.patch("/{name}")
async def update(
    endpoint: str, name: str, body: dict[str, Any], scope: ScopeDep, local: ServiceDep
) -> JSONResponse:
    """Change tags and the number of instances."""
    document = rules.deployment(local, endpoint, name)
    rules.refuse_if_busy(local, endpoint, name)
    if body.get("tags") is not None:
        document["tags"] = body["tags"]
    if body.get("sku"):
        document["sku"] = settings.sku({**document["sku"], **body["sku"]})
        settings.check_quota(
            local, document.key, document["properties"]["instanceType"], document["sku"]["capacity"]
        )
    verb = "scale" if _healthy(document) else "update"
    document["properties"]["provisioningState"] = "Updating"
    document = local.store.put(_KIND, document.key, document)
    operation = local.operations.begin(f"{_KIND}.{verb}", document.key)
    return JSONResponse(
        _render(scope, document), 202, headers=local.operations.headers(scope, operation, delete=True)
    )


@Operations.handler("onlineDeployments.scale")
async def _scale(local: Service, key: str) -> None:
    document = local.store.get(_KIND, key)
    if document is None:
        return
    if local.containers.get(key) is None:
        await _settle(local, key)
        return
    try:
        await local.containers.scale(key, int(document["sku"]["capacity"]))
    except ContainerError as error:
        raise ArmError(400, "ResourceNotReady", str(error), target=key) from error
    _succeeded(local, key)


@router.delete("/{name}")
async def delete(endpoint: str, name: str, scope: ScopeDep, local: ServiceDep) -> JSONResponse:
    """Remove a deployment; one that has traffic is refused, as the endpoint would go dark."""
    key = f"{endpoint}/{name}"
    document = local.store.get(_KIND, key)
    if document is None:
        return JSONResponse(None, 204)
    rules.refuse_if_busy(local, endpoint, name)
    share = rules.endpoint(local, endpoint)["properties"]["traffic"].get(name)
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
async def _remove(local: Service, key: str) -> None:
    await local.containers.remove(key)
    local.store.delete(_SERVED, key)
    local.store.delete(_KIND, key)


async def _back(local: Service, key: str) -> None:
    """Start a deployment as it last came up; what never did stays down."""
    try:
        await _start(local, key, _SERVED)
    except (ContainerError, ArmError) as error:
        log.warning("Deployment %s did not come back: %s", key, error)


async def startup(local: Service) -> None:
    """Bring back the deployments that were running when the service ended; Failed ones as they were before."""
    for document in local.store.list(_KIND):
        if document["properties"]["provisioningState"] in ("Succeeded", "Failed"):
            local.containers.background(_back(local, document.key))


async def shutdown(local: Service) -> None:
    """End all processes of deployments."""
    await local.containers.stop_all()
