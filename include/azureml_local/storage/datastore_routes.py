"""Datastores: the two that a workspace comes with, and those that a user attaches."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.engine import sas
from azureml_local.engine.store import Document
from azureml_local.routing import ScopeDep, authorized_router
from azureml_local.storage.datastores import BUILT_IN, Datastores, DatastoresDep
from azureml_local.storage.files import FilesDep
from azureml_local.storage.schemas import Datastore

router = authorized_router(f"{grammar.WORKSPACE_PATH}/datastores", __doc__)

SAS_SECONDS = 8 * 3600.0


def _body(datastores: Datastores, scope: Scope, document: Document) -> Json:
    return grammar.envelope(
        scope.child("datastores", document.key),
        datastores.public(document),
        created=document.created,
        modified=document.modified,
    )


@router.get("")
async def list_(scope: ScopeDep, datastores: DatastoresDep, request: Request) -> Json:
    """All datastores; with ``isDefault=true`` the default one."""
    default = request.query_params.get("isDefault", "").lower() == "true"
    bodies = [_body(datastores, scope, document) for document in datastores.list(default=default)]
    return grammar.page(request, bodies, size=30)


@router.get("/{name}")
async def get(name: str, scope: ScopeDep, datastores: DatastoresDep) -> Json:
    """One datastore, without its secrets."""
    return _body(datastores, scope, datastores.find(name))


@router.put("/{name}")
async def put(name: str, scope: ScopeDep, datastores: DatastoresDep, body: Datastore) -> Response:
    """Attach a datastore, or change it.

    Raises:
        ArmError: 400 for an unknown type of datastore or credentials, or one that the workspace came with.
    """
    document, new = datastores.put(name, body.properties.sent())
    return JSONResponse(_body(datastores, scope, document), 201 if new else 200)


@router.delete("/{name}")
async def delete(name: str, _: ScopeDep, datastores: DatastoresDep) -> Response:
    """Detach a datastore; 204 if there is none; raises ArmError: 400 for one that the workspace came with."""
    return Response(status_code=200 if datastores.delete(name) else 204)


@router.post("/{name}/listSecrets")
async def list_secrets(name: str, _: ScopeDep, datastores: DatastoresDep, files: FilesDep) -> Json:
    """What opens the datastore: a fresh container SAS for the workspace's own, else what was stored.

    Raises:
        ArmError: 400 if the datastore has no credentials.
    """
    credentials: Json = datastores.find(name)["properties"].get("credentials", {})
    if name in BUILT_IN:
        token = sas.token(files.account_key, BUILT_IN[name], permissions="racwdl", seconds=SAS_SECONDS)
        return {"secretsType": "Sas", "sasToken": token}
    kind = credentials.get("credentialsType", "None")
    if kind == "None":
        raise ArmError(
            400, "UserError", f"The datastore '{name}' has no credentials: it is opened by identity."
        )
    return {"secretsType": kind, **credentials.get("secrets", {})}
