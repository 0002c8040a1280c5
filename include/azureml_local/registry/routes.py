"""The registry's data plane: containers and versions of models, components, environments, data and code."""

from __future__ import annotations

import uuid

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.arm.lists import select
from azureml_local.assets.noun import DEFAULT_LABEL
from azureml_local.assets.rules import DEFAULT_VERSION, AssetsDep
from azureml_local.assets.schemas import Version
from azureml_local.registry import holdings
from azureml_local.registry.holdings import HoldingsDep
from azureml_local.routing import SettingsDep, StoreDep, authorized_router
from azureml_local.settings import LOCATION, REGISTRY, TENANT_ID
from azureml_local.storage.files import ACCOUNT_HOST, REGISTRY_CONTAINER, FilesDep

ARM_PATH = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{grammar.PROVIDER}"
    "/registries/{registry_name}"
)
DATA_PATH = f"/mferp/managementfrontend{ARM_PATH}"

router = authorized_router(doc=__doc__)


def _check(registry_name: str) -> None:
    if registry_name != REGISTRY:
        raise ArmError(
            404, "ResourceNotFound", f"Registry '{registry_name}' was not found: there is '{REGISTRY}'."
        )


@router.get(ARM_PATH)
async def get_registry(registry_name: str, settings: SettingsDep) -> Json:
    """The registry itself."""
    _check(registry_name)
    properties = {
        "discoveryUrl": f"{settings.base_url}/registrymanagement/v1.0/registries/{REGISTRY}/discovery",
        "mlFlowRegistryUri": f"azureml://localhost:{settings.port}/mlflow/v1.0{holdings.ARM_ID}",
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
async def data_reference(
    registry_name: str,
    name: str,
    version: str,
    body: Json,
    settings: SettingsDep,
    files: FilesDep,
    held: HoldingsDep,
) -> Json:
    """A SAS with which an asset's files are read.

    Raises:
        ArmError: 404 if the asset, or its files on this machine, do not exist.
    """
    _check(registry_name)
    blob_uri = str(body.get("blobUri"))
    container = (
        blob_uri.removeprefix(settings.base_url).strip("/").removeprefix(f"{ACCOUNT_HOST}/").split("/")[0]
    )
    if container == REGISTRY_CONTAINER:
        held.link_weights(name, version)
    sas_uri = files.sas_url(container, permissions="rl")
    return {
        "blobReferenceForConsumption": {
            "blobUri": blob_uri,
            "credential": {"credentialType": "SAS", "sasUri": sas_uri},
            "storageAccountArmId": None,
        }
    }


@router.put(f"{DATA_PATH}/tempdatarefs/{{name}}/versions/{{version}}")
async def temporary_reference(
    registry_name: str, name: str, version: str, body: Json, held: HoldingsDep, assets: AssetsDep
) -> Json:
    """Where to upload the files of an asset that is about to be published.

    Raises:
        ArmError: 409 if that version exists already.
    """
    _check(registry_name)
    plural = str(body.get("assetId", "")).split("/registries/")[-1].split("/")[1:2]
    if plural and any(item.key == f"{name}/{version}" for item in held.versions(plural[0], name)):
        raise ArmError(
            409, "UserError", f"{name}:{version} exists already in registry {REGISTRY}.", target=name
        )
    upload = assets.pending_upload(holdings.ARM_ID)
    return {
        "blobReferenceForConsumption": upload["blobReferenceForConsumption"],
        "temporaryDataReferenceId": str(uuid.uuid4()),
        "temporaryDataReferenceType": "TemporaryBlobReference",
    }


@router.get(f"{DATA_PATH}/mfeOperationResults/{{operation}}")
async def operation_result(
    registry_name: str, operation: str, store: StoreDep, held: HoldingsDep
) -> Response:
    """How a publication goes: 202 while it does, then the version, or why there is none."""
    _check(registry_name)
    document = store.get("operations", operation)
    if document is None:
        raise grammar.not_found("The operation", operation, f"registry {REGISTRY}")
    if document["status"] == "InProgress":
        return JSONResponse(None, 202, headers={"Retry-After": "1"})
    if document["status"] == "Failed":
        return JSONResponse({"error": document["error"]}, 400)
    plural, name, version = document["key"].split("/")
    return JSONResponse(holdings.body(plural, held.find(plural, name, version)))


@router.get(f"{DATA_PATH}/{{plural}}")
async def list_containers(registry_name: str, plural: str, held: HoldingsDep, request: Request) -> Json:
    """The assets of a kind."""
    _check(registry_name)
    holdings.noun(plural)
    return grammar.page(request, [held.container_body(plural, name) for name in held.names(plural)])


@router.get(f"{DATA_PATH}/{{plural}}/{{name}}")
async def get_container(registry_name: str, plural: str, name: str, held: HoldingsDep) -> Json:
    """One asset, with its latest and next version."""
    _check(registry_name)
    return held.container_body(plural, name)


@router.get(f"{DATA_PATH}/{{plural}}/{{name}}/versions")
async def list_versions(
    registry_name: str, plural: str, name: str, held: HoldingsDep, request: Request
) -> Json:
    """The versions of an asset, newest first."""
    _check(registry_name)
    chosen = select(request, held.versions(plural, name))
    return grammar.page(request, [holdings.body(plural, document) for document in chosen])


@router.get(f"{DATA_PATH}/{{plural}}/{{name}}/versions/{{version}}")
async def get_version(registry_name: str, plural: str, name: str, version: str, held: HoldingsDep) -> Json:
    """One version."""
    _check(registry_name)
    label = DEFAULT_LABEL if version == DEFAULT_VERSION else None
    return holdings.body(plural, held.find(plural, name, version), label)


@router.put(f"{DATA_PATH}/{{plural}}/{{name}}/versions/{{version}}")
async def put_version(
    registry_name: str,
    plural: str,
    name: str,
    version: str,
    body: Version,
    request: Request,
    held: HoldingsDep,
    settings: SettingsDep,
) -> Response:
    """Publish a version, or change what may change of a published one; a long-running operation.

    Raises:
        ArmError: 409 for a version that the catalogue holds, or that exists with other content.
    """
    _check(registry_name)
    operation = held.begin_publish(plural, name, version, body.properties.sent())
    headers = {
        "Location": f"{settings.base_url}{DATA_PATH.format(**request.path_params)}"
        f"/mfeOperationResults/{operation}?api-version=2021-10-01-dataplanepreview",
        "x-ms-async-operation-timeout": "PT30M",
        "Retry-After": "1",
    }
    return JSONResponse(None, 202, headers=headers)
