"""The registry's data plane: containers and versions of models, components, environments, data and code."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.arm.lists import select
from azureml_local.assets import rules
from azureml_local.assets.codes import pending_upload
from azureml_local.engine.operations import Operations
from azureml_local.registry import catalogue, holdings
from azureml_local.routing import ServiceDep, authorized_router
from azureml_local.service import Service
from azureml_local.settings import LOCATION, REGISTRY, TENANT_ID
from azureml_local.storage import files

ARM_PATH = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{grammar.PROVIDER}"
    "/registries/{registry_name}"
)
DATA_PATH = f"/mferp/managementfrontend{ARM_PATH}"
_PUBLISHED = "registryAssets"
"""Noun of the time policy, and kind of what is being published; it is not to be seen before that is done."""

router = authorized_router()


def _check(registry_name: str) -> None:
    if registry_name != REGISTRY:
        raise ArmError(
            404, "ResourceNotFound", f"Registry '{registry_name}' was not found: there is '{REGISTRY}'."
        )


@router.get(ARM_PATH)
async def get_registry(registry_name: str, local: ServiceDep) -> Json:
    """The registry itself."""
    _check(registry_name)
    properties = {
        "discoveryUrl": f"{local.settings.base_url}/registrymanagement/v1.0/registries/{REGISTRY}/discovery",
        "mlFlowRegistryUri": f"azureml://localhost:{local.settings.port}/mlflow/v1.0{holdings.ARM_ID}",
        "publicNetworkAccess": "Enabled",
        "intellectualPropertyPublisher": None,
        "managedResourceGroup": None,
        "regionDetails": [{"location": LOCATION, "acrDetails": [], "storageAccountDetails": []}],
    }
    return grammar.envelope(
        holdings.ARM_ID,
        properties,
        created="2024-01-01T00:00:00.000000Z",
        location=LOCATION,
        tags={},
        identity={
            "type": "SystemAssigned",
            "principalId": "00000000-0000-4000-8000-0000000000a3",
            "tenantId": TENANT_ID,
        },
    )


@router.post(f"{DATA_PATH}/datarefs/{{name}}/versions/{{version}}")
async def data_reference(registry_name: str, name: str, version: str, local: ServiceDep, body: Json) -> Json:
    """A SAS with which an asset's files are read.

    Raises:
        ArmError: 404 if the asset, or its files on this machine, do not exist.
    """
    _check(registry_name)
    blob_uri = str(body.get("blobUri"))
    container = (
        blob_uri.removeprefix(local.settings.base_url)
        .strip("/")
        .removeprefix(f"{files.ACCOUNT_HOST}/")
        .split("/")[0]
    )
    if container == files.REGISTRY_CONTAINER:
        _link_weights(local, name, version)
    sas_uri = files.sas_url(local, container, permissions="rl")
    return {
        "blobReferenceForConsumption": {
            "blobUri": blob_uri,
            "credential": {"credentialType": "SAS", "sasUri": sas_uri},
            "storageAccountArmId": None,
        }
    }


def _link_weights(local: Service, name: str, version: str) -> None:
    """Let the registry's container show a folder of weights, without a copy of it."""
    link: Path = files.blob_path(local, files.REGISTRY_CONTAINER, f"models/{name}/{version}")
    folder = catalogue.model_folder(local, name, version)
    if not folder.is_dir():
        message = "The stand-in is made by the first job that needs it, or by azureml-local up --prepare."
        raise ArmError(404, "ResourceNotFound", message, target=name)
    if not link.is_symlink() or Path(os.readlink(link)) != folder:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(folder)


@router.put(f"{DATA_PATH}/tempdatarefs/{{name}}/versions/{{version}}")
async def temporary_reference(
    registry_name: str, name: str, version: str, local: ServiceDep, body: Json
) -> Json:
    """Where to upload the files of an asset that is about to be published.

    Raises:
        ArmError: 409 if that version exists already.
    """
    _check(registry_name)
    plural = str(body.get("assetId", "")).split("/registries/")[-1].split("/")[1:2]
    if plural and any(item.key == f"{name}/{version}" for item in holdings.versions(local, plural[0], name)):
        raise ArmError(
            409, "UserError", f"{name}:{version} exists already in registry {REGISTRY}.", target=name
        )
    upload = pending_upload(local, holdings.ARM_ID)
    return {
        "blobReferenceForConsumption": upload["blobReferenceForConsumption"],
        "temporaryDataReferenceId": str(uuid.uuid4()),
        "temporaryDataReferenceType": "TemporaryBlobReference",
    }


@router.get(f"{DATA_PATH}/mfeOperationResults/{{operation}}")
async def operation_result(registry_name: str, operation: str, local: ServiceDep) -> Response:
    """How a publication goes: 202 while it does, then the version, or why there is none."""
    _check(registry_name)
    found = local.store.get("operations", operation)
    if found is None:
        raise grammar.not_found("The operation", operation, f"registry {REGISTRY}")
    if found["status"] == "InProgress":
        return JSONResponse(None, 202, headers={"Retry-After": "1"})
    if found["status"] == "Failed":
        return JSONResponse({"error": found["error"]}, 400)
    plural, name, version = found["key"].split("/")
    return JSONResponse(holdings.body(plural, holdings.find(local, plural, name, version)))


@router.get(f"{DATA_PATH}/{{plural}}")
async def list_containers(registry_name: str, plural: str, local: ServiceDep, request: Request) -> Json:
    """The assets of a kind."""
    _check(registry_name)
    holdings.noun(plural)
    return grammar.page(
        request, [holdings.container_body(local, plural, name) for name in holdings.names(local, plural)]
    )


@router.get(f"{DATA_PATH}/{{plural}}/{{name}}")
async def get_container(registry_name: str, plural: str, name: str, local: ServiceDep) -> Json:
    """One asset, with its latest and next version."""
    _check(registry_name)
    return holdings.container_body(local, plural, name)


@router.get(f"{DATA_PATH}/{{plural}}/{{name}}/versions")
async def list_versions(
    registry_name: str, plural: str, name: str, local: ServiceDep, request: Request
) -> Json:
    """The versions of an asset, newest first."""
    _check(registry_name)
    chosen = select(request, holdings.versions(local, plural, name))
    return grammar.page(request, [holdings.body(plural, document) for document in chosen])


@router.get(f"{DATA_PATH}/{{plural}}/{{name}}/versions/{{version}}")
async def get_version(registry_name: str, plural: str, name: str, version: str, local: ServiceDep) -> Json:
    """One version."""
    _check(registry_name)
    return holdings.body(plural, holdings.find(local, plural, name, version))


@router.put(f"{DATA_PATH}/{{plural}}/{{name}}/versions/{{version}}")
async def put_version(
    registry_name: str, plural: str, name: str, version: str, local: ServiceDep, body: Json, request: Request
) -> Response:
    """Publish a version, or change what may change of a published one; a long-running operation.

    Raises:
        ArmError: 409 for a version that the catalogue holds, or that exists with other content.
    """
    _check(registry_name)
    noun = holdings.noun(plural)
    if plural in ("models", "components", "environments") and any(
        (item["name"], str(item["version"])) == (name, version) for item in catalogue.documents(plural)
    ):
        raise ArmError(
            409, "UserError", f"{name}:{version} belongs to the catalogue and cannot be changed.", target=name
        )
    properties = body.get("properties") or {}
    rules.check_version(local, noun, name, version, properties)
    key = f"{plural}/{name}/{version}"
    if local.operations.active(_PUBLISHED, key) is not None:
        raise ArmError(409, "UserError", f"{name}:{version} is being published already.", target=name)
    local.store.put(_PUBLISHED, key, {"wanted": properties})
    operation = local.operations.begin(f"{_PUBLISHED}.publish", key)
    headers = {
        "Location": f"{local.settings.base_url}{DATA_PATH.format(**request.path_params)}"
        f"/mfeOperationResults/{operation}?api-version=2021-10-01-dataplanepreview",
        "x-ms-async-operation-timeout": "PT30M",
        "Retry-After": "1",
    }
    return JSONResponse(None, 202, headers=headers)


@Operations.handler(f"{_PUBLISHED}.publish")
async def _publish(local: Service, key: str) -> None:
    plural, name, version = key.split("/")
    pending = local.store.get(_PUBLISHED, key)
    if pending is not None:
        rules.put_version(local, holdings.noun(plural), name, version, pending["wanted"])
        local.store.delete(_PUBLISHED, key)
