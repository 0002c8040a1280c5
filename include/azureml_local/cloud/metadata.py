"""The cloud's own address book: where the resource manager and the registries are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from azureml_local.arm.grammar import ArmError
from azureml_local.routing import SettingsDep, title
from azureml_local.settings import (
    CLOUD_NAME,
    LOCATION,
    REGISTRY,
    RESOURCE_GROUP,
    STORAGE_SUFFIX,
    SUBSCRIPTION_ID,
    TENANT_ID,
    WORKSPACE,
)

router = APIRouter(tags=title(__doc__))

# Its third label is the suffix from which the SDK makes the audience `https://ml.azure.local`.
PORTAL = "https://portal.azureml.local/"


@router.get("/metadata/endpoints")
async def clouds(settings: SettingsDep) -> list[dict[str, Any]]:
    """The one cloud there is, in the form of Azure's ``2019-05-01`` metadata."""
    base = settings.base_url
    return [
        {
            "name": CLOUD_NAME,
            "portal": PORTAL,
            "resourceManager": f"{base}/",
            "authentication": {
                "loginEndpoint": f"{base}/",
                "audiences": [f"{base}/"],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "graph": f"{base}/",
            "graphAudience": f"{base}/",
            "suffixes": {"storage": STORAGE_SUFFIX, "keyVaultDns": "vault.azureml.local"},
        }
    ]


@router.get("/registrymanagement/v1.0/registries/{registry}/discovery")
async def registry_discovery(registry: str, settings: SettingsDep) -> dict[str, Any]:
    """Where a registry is served; needs no token, as in Azure.

    Raises:
        ArmError: 404 for a registry other than the one there is.
    """
    if registry != REGISTRY:
        raise ArmError(
            404,
            "RegistryNotFound",
            f"Registry '{registry}' was not found: there is '{REGISTRY}'.",
            target=registry,
        )
    uri = f"{settings.base_url}/"
    return {
        "registryName": registry,
        "tenantId": TENANT_ID,
        "primaryRegion": LOCATION,
        "regions": [LOCATION],
        "subscriptionId": SUBSCRIPTION_ID,
        "resourceGroup": RESOURCE_GROUP,
        "workspaceName": WORKSPACE,
        "primaryRegionResourceProviderUri": uri,
        "registryFqdns": {LOCATION: {"uri": uri}},
    }


@router.get("/discovery")
async def discovery(settings: SettingsDep) -> dict[str, str]:
    """Base addresses of the workspace's data planes; what ``discoveryUrl`` of the workspace answers."""
    base = settings.base_url
    return dict.fromkeys(
        (
            "api",
            "catalog",
            "experimentation",
            "gallery",
            "history",
            "hyperdrive",
            "labeling",
            "modelmanagement",
            "pipelines",
            "rag-indexes",
            "studio",
        ),
        base,
    )
