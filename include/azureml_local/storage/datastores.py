"""Datastores: the two that a workspace comes with, and those that a user attaches."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.engine import sas
from azureml_local.engine.store import Document
from azureml_local.locator import ServiceDep
from azureml_local.routing import ScopeDep, authorized_router
from azureml_local.service import Service
from azureml_local.settings import (
    BLOB_CONTAINER,
    RESOURCE_GROUP,
    STORAGE_ACCOUNT,
    STORAGE_SUFFIX,
    SUBSCRIPTION_ID,
)
from azureml_local.storage import files, schemas

router = authorized_router(f"{grammar.WORKSPACE_PATH}/datastores")

BUILT_IN = {"workspaceblobstore": BLOB_CONTAINER, "workspaceartifactstore": files.ARTIFACTS}
"""The containers behind the datastores that every workspace has."""
SAS_SECONDS = 8 * 3600.0
CREDENTIALS = {
    "AccountKey",
    "Certificate",
    "None",
    "Sas",
    "ServicePrincipal",
    "KerberosKeytab",
    "KerberosPassword",
}
TYPES = {"AzureBlob", "AzureDataLakeGen1", "AzureDataLakeGen2", "AzureFile", "Hdfs", "OneLake"}


def _built_in(local: Service, name: str) -> Json:
    # The SDK makes of the account's name `https://<name>.blob.<suffix>`; a name with a slash makes it a path
    # of ours.
    return {
        "datastoreType": "AzureBlob",
        "accountName": f"localhost:{local.settings.port}/{STORAGE_ACCOUNT}",
        "containerName": BUILT_IN[name],
        "endpoint": STORAGE_SUFFIX,
        "protocol": "https",
        "isDefault": name == "workspaceblobstore",
        "credentials": {"credentialsType": "Sas"},
        "serviceDataAccessAuthIdentity": "None",
        "subscriptionId": SUBSCRIPTION_ID,
        "resourceGroup": RESOURCE_GROUP,
        "description": None,
        "properties": None,
        "tags": None,
    }


def _body(local: Service, scope: Scope, document: Document) -> Json:
    properties = dict(document["properties"])
    if document.key in BUILT_IN:
        # The port may be another one since the datastore was made.
        properties["accountName"] = f"localhost:{local.settings.port}/{STORAGE_ACCOUNT}"
    credentials = dict(properties.get("credentials", {"credentialsType": "None"}))
    credentials.pop("secrets", None)
    return grammar.envelope(
        scope.child("datastores", document.key),
        {**properties, "credentials": credentials},
        created=document.created,
        modified=document.modified,
    )


def _find(local: Service, name: str) -> Document:
    document = local.store.get("datastores", name)
    if document is None:
        raise grammar.not_found("Datastore", name, "the workspace")
    return document


@router.get("")
async def list_(scope: ScopeDep, local: ServiceDep, request: Request) -> Json:
    """All datastores; with ``isDefault=true`` the default one."""
    documents = local.store.list("datastores")
    if request.query_params.get("isDefault", "").lower() == "true":
        documents = [document for document in documents if document["properties"].get("isDefault")]
    return grammar.page(request, [_body(local, scope, document) for document in documents], size=30)


@router.get("/{name}")
async def get(name: str, scope: ScopeDep, local: ServiceDep) -> Json:
    """One datastore, without its secrets."""
    return _body(local, scope, _find(local, name))


@router.put("/{name}")
async def put(name: str, scope: ScopeDep, local: ServiceDep, body: schemas.Datastore) -> Response:
    """Attach a datastore, or change it.

    Raises:
        ArmError: 400 for an unknown type of datastore or credentials, or one that the workspace came with.
    """
    if name in BUILT_IN:
        raise ArmError(
            400, "UserError", f"The datastore '{name}' belongs to the workspace and cannot be changed."
        )
    properties = body.properties.sent()
    kind = properties.get("datastoreType")
    credentials = (properties.get("credentials") or {}).get("credentialsType")
    if kind not in TYPES:
        raise ArmError(400, "UserError", f"datastoreType {kind!r} is unknown: use one of {sorted(TYPES)}.")
    if credentials not in CREDENTIALS:
        raise ArmError(
            400, "UserError", f"credentialsType {credentials!r} is unknown: use one of {sorted(CREDENTIALS)}."
        )
    status = 200 if local.store.get("datastores", name) else 201
    properties.setdefault("isDefault", False)
    document = local.store.put("datastores", name, {"properties": properties})
    return JSONResponse(_body(local, scope, document), status)


@router.delete("/{name}")
async def delete(name: str, scope: ScopeDep, local: ServiceDep) -> Response:
    """Detach a datastore; 204 if there is none.

    Raises:
        ArmError: 400 for one that the workspace came with.
    """
    if name in BUILT_IN:
        raise ArmError(
            400, "UserError", f"The datastore '{name}' belongs to the workspace and cannot be deleted."
        )
    return Response(status_code=200 if local.store.delete("datastores", name) else 204)


@router.post("/{name}/listSecrets")
async def list_secrets(name: str, scope: ScopeDep, local: ServiceDep) -> Json:
    """What opens the datastore: a fresh container SAS for the workspace's own, else what was stored.

    Raises:
        ArmError: 400 if the datastore has no credentials.
    """
    credentials: dict[str, Any] = _find(local, name)["properties"].get("credentials", {})
    if name in BUILT_IN:
        token = sas.token(local.account_key, BUILT_IN[name], permissions="racwdl", seconds=SAS_SECONDS)
        return {"secretsType": "Sas", "sasToken": token}
    kind = credentials.get("credentialsType", "None")
    if kind == "None":
        raise ArmError(
            400, "UserError", f"The datastore '{name}' has no credentials: it is opened by identity."
        )
    return {"secretsType": kind, **credentials.get("secrets", {})}


async def startup(local: Service) -> None:
    """Make the workspace's own datastores."""
    for name in BUILT_IN:
        if local.store.get("datastores", name) is None:
            local.store.put("datastores", name, {"properties": _built_in(local, name)})
