"""Managed online endpoints: the address, its keys and how its traffic is split."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from azureml_local.arm import grammar
from azureml_local.arm.grammar import WORKSPACE_PATH, ArmError, Json, Scope, not_found
from azureml_local.engine.store import Document
from azureml_local.locator import ServiceDep
from azureml_local.online import rules, schemas
from azureml_local.routing import ScopeDep, authorized_router
from azureml_local.service import Service
from azureml_local.settings import LOCATION, TENANT_ID

router = authorized_router(f"{WORKSPACE_PATH}/onlineEndpoints", __doc__)
_KIND = "onlineEndpoints"
_AUTH_MODES = {"key": "Key", "amltoken": "AMLToken", "aadtoken": "AADToken"}
_EXTRA = ("location", "tags", "kind", "identity", "sku")
TOKEN_SECONDS = 12 * 3600
"""How long an endpoint's own token is good for."""


def _render(scope: Scope, document: Document) -> Json:
    extra = {name: document.get(name) for name in _EXTRA}
    return grammar.envelope(
        scope.child(_KIND, document.key),
        document["properties"],
        created=document.created,
        modified=document.modified,
        **extra,
    )


def _properties(local: Service, name: str, given: Json, old: Document | None) -> Json:
    mode = _AUTH_MODES.get(str(given.get("authMode", "")).lower())
    if mode is None:
        raise ArmError(
            400,
            "BadArgument",
            f"authMode {given.get('authMode')!r} is none of Key, AMLToken, AADToken.",
            target="authMode",
        )
    kept = old["properties"] if old else {"scoringUri": None, "swaggerUri": None}
    traffic = rules.check_traffic(local, name, given.get("traffic"))
    return {
        "description": given.get("description"),
        "properties": given.get("properties") or {},
        "authMode": mode,
        "compute": given.get("compute"),
        "traffic": traffic,
        "mirrorTraffic": rules.check_mirror(local, name, given.get("mirrorTraffic"), traffic),
        "publicNetworkAccess": given.get("publicNetworkAccess") or "Enabled",
        "scoringUri": kept["scoringUri"],
        "swaggerUri": kept["swaggerUri"],
        "provisioningState": "Updating" if old else "Creating",
    }


@router.put("/{name}")
async def create(name: str, body: schemas.Endpoint, scope: ScopeDep, local: ServiceDep) -> JSONResponse:
    """Create an endpoint, or change the one that there is."""
    rules.check_name("Endpoint", name)
    sent = body.sent()
    old = local.store.get(_KIND, name)
    rules.refuse_if_busy(local, name)
    document = local.store.put(
        _KIND,
        name,
        {
            "properties": _properties(local, name, sent["properties"], old),
            "location": sent.get("location") or LOCATION,
            "tags": sent.get("tags") or {},
            "kind": "Managed",
            "identity": {"type": "SystemAssigned", "principalId": TENANT_ID, "tenantId": TENANT_ID},
            "sku": sent.get("sku"),
        },
    )
    operation = local.operations.begin(f"{_KIND}.{'update' if old else 'create'}", name)
    return JSONResponse(
        _render(scope, document), 200 if old else 201, headers=local.operations.headers(scope, operation)
    )


async def _settle(local: Service, name: str) -> None:
    document = rules.endpoint(local, name)
    base = f"{local.settings.base_url}/inference/{name}"
    document["properties"] |= {
        "provisioningState": "Succeeded",
        "scoringUri": f"{base}/score",
        "swaggerUri": f"{base}/swagger.json",
    }
    local.store.put(_KIND, name, document)


@router.get("/{name}")
async def get(name: str, scope: ScopeDep, local: ServiceDep) -> Json:
    """One endpoint."""
    return _render(scope, rules.endpoint(local, name))


@router.get("")
async def list_endpoints(request: Request, scope: ScopeDep, local: ServiceDep, name: str = "") -> Json:
    """The endpoints of the workspace."""
    return grammar.page(
        request, [_render(scope, one) for one in local.store.list(_KIND) if not name or one.key == name]
    )


@router.patch("/{name}")
async def update(
    name: str, body: schemas.EndpointChanges, scope: ScopeDep, local: ServiceDep
) -> JSONResponse:
    """Change tags and traffic."""
    document = rules.endpoint(local, name)
    rules.refuse_if_busy(local, name)
    sent = body.sent()
    if sent.get("tags") is not None:
        document["tags"] = sent["tags"]
    changes = sent.get("properties") or {}
    inner = document["properties"]
    if "traffic" in changes:
        inner["traffic"] = rules.check_traffic(local, name, changes["traffic"])
    if "mirrorTraffic" in changes:
        inner["mirrorTraffic"] = rules.check_mirror(local, name, changes["mirrorTraffic"], inner["traffic"])
    document["properties"]["provisioningState"] = "Updating"
    document = local.store.put(_KIND, name, document)
    operation = local.operations.begin("onlineEndpoints.update", name)
    return JSONResponse(
        _render(scope, document), 202, headers=local.operations.headers(scope, operation, delete=True)
    )


@router.delete("/{name}")
async def delete(name: str, scope: ScopeDep, local: ServiceDep) -> JSONResponse:
    """Remove an endpoint with all its deployments; what is under way on these is given up."""
    document = local.store.get(_KIND, name)
    if document is None:
        return JSONResponse(None, 204)
    rules.refuse_if_busy(local, name)
    document["properties"]["provisioningState"] = "Deleting"
    local.store.put(_KIND, name, document)
    operation = local.operations.begin("onlineEndpoints.delete", name)
    return JSONResponse(None, 202, headers=local.operations.headers(scope, operation, delete=True))


async def _remove(local: Service, name: str) -> None:
    for document in rules.deployments(local, name):
        await local.operations.abandon("onlineDeployments", document.key)
        await local.containers.remove(document.key)
        local.store.delete("onlineDeployments", document.key)
    await asyncio.to_thread(local.containers.forget, name)
    local.store.delete("endpointKeys", name)
    local.store.delete(_KIND, name)


def _keyed(local: Service, name: str) -> Document:
    document = rules.endpoint(local, name)
    if document["properties"]["authMode"] != "Key":
        raise ArmError(
            400,
            "BadRequest",
            f"Endpoint {name!r} has no keys: its authMode is {document['properties']['authMode']}.",
        )
    return document


@router.post("/{name}/listKeys")
async def list_keys(name: str, _: ScopeDep, local: ServiceDep) -> Json:
    """Both keys."""
    return rules.keys(local, _keyed(local, name).key)


@router.post("/{name}/regenerateKeys")
async def regenerate_keys(
    name: str, body: dict[str, Any], scope: ScopeDep, local: ServiceDep
) -> JSONResponse:
    """Replace one key: by the value given, or a random one if it has that value already, as the SDK sends."""
    held = rules.keys(local, _keyed(local, name).key)
    field = {"primary": "primaryKey", "secondary": "secondaryKey"}.get(str(body.get("keyType")).lower())
    if field is None:
        raise ArmError(
            400,
            "BadArgument",
            f"keyType {body.get('keyType')!r} is neither Primary nor Secondary.",
            target="keyType",
        )
    wanted = body.get("keyValue")
    held[field] = wanted if wanted and wanted != held[field] else rules.new_key()
    local.store.put("endpointKeys", name, held)
    return JSONResponse(None, 200)


@router.post("/{name}/token")
async def token(name: str, _: ScopeDep, local: ServiceDep) -> Json:
    """A token that opens an endpoint of authMode AMLToken."""
    document = local.store.get(_KIND, name)
    if document is None:
        raise not_found("The online endpoint", name, "the workspace")
    if document["properties"]["authMode"] == "Key":
        raise ArmError(400, "BadRequest", f"Endpoint {name!r} takes keys, not tokens: its authMode is Key.")
    text, expires = local.identity.issue(rules.token_audience(local, name), lifetime=TOKEN_SECONDS)
    return {
        "accessToken": text,
        "tokenType": "Bearer",
        "expiryTimeUtc": expires,
        "refreshAfterTimeUtc": expires - 3600,
    }
