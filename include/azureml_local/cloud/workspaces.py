"""The workspace: one, made with the service."""

from __future__ import annotations

from fastapi import Request

from azureml_local.arm import grammar
from azureml_local.arm.grammar import Json, Scope, scope_of, tracking_uri
from azureml_local.routing import ScopeDep, SettingsDep, authorized_router
from azureml_local.settings import (
    LOCATION,
    RESOURCE_GROUP,
    STORAGE_ACCOUNT,
    TENANT_ID,
    WORKSPACE,
    WORKSPACE_GUID,
)
from azureml_local.storage.files import FilesDep

GROUP_PATH = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{grammar.PROVIDER}/workspaces"
)
SUBSCRIPTION_PATH = f"/subscriptions/{{subscription}}/providers/{grammar.PROVIDER}/workspaces"
CREATED = "2024-01-01T00:00:00.000000Z"

router = authorized_router(doc=__doc__)


def workspace(base_url: str, scope: Scope) -> Json:
    """The workspace's ARM body (2024-10-01-preview)."""
    resources = f"/subscriptions/{scope.subscription}/resourceGroups/{scope.group}/providers"
    properties = {
        "friendlyName": scope.workspace,
        "description": "The workspace of the local Azure ML.",
        "workspaceId": WORKSPACE_GUID,
        "storageAccount": f"{resources}/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}",
        "keyVault": f"{resources}/Microsoft.KeyVault/vaults/localvault",
        "applicationInsights": f"{resources}/Microsoft.Insights/components/localinsights",
        "containerRegistry": f"{resources}/Microsoft.ContainerRegistry/registries/localregistry",
        "discoveryUrl": f"{base_url}/discovery",
        "mlFlowTrackingUri": tracking_uri(base_url).replace("https://", "azureml://"),
        "provisioningState": "Succeeded",
        "tenantId": TENANT_ID,
        "creationTime": CREATED,
        "hbiWorkspace": False,
        "v1LegacyMode": False,
        "storageHnsEnabled": False,
        "enableDataIsolation": False,
        "publicNetworkAccess": "Enabled",
        "systemDatastoresAuthMode": "accessKey",
    }
    return grammar.envelope(
        scope.id,
        properties,
        created=CREATED,
        location=LOCATION,
        tags={},
        kind="Default",
        sku={"name": "Basic", "tier": "Basic"},
        identity={
            "type": "SystemAssigned",
            "principalId": "00000000-0000-4000-8000-0000000000a1",
            "tenantId": TENANT_ID,
        },
    )


@router.get(grammar.WORKSPACE_PATH)
async def get(scope: ScopeDep, settings: SettingsDep) -> Json:
    """One workspace."""
    return workspace(settings.base_url, scope)


@router.get(GROUP_PATH)
async def list_in_group(subscription: str, group: str, request: Request, settings: SettingsDep) -> Json:
    """The workspaces of a resource group."""
    return grammar.page(request, [workspace(settings.base_url, scope_of(subscription, group, WORKSPACE))])


@router.get(SUBSCRIPTION_PATH)
async def list_in_subscription(subscription: str, request: Request, settings: SettingsDep) -> Json:
    """The workspaces of a subscription."""
    return grammar.page(
        request,
        [workspace(settings.base_url, scope_of(subscription, RESOURCE_GROUP, WORKSPACE))],
    )


@router.post(f"{grammar.WORKSPACE_PATH}/listKeys")
async def list_keys(scope: ScopeDep, settings: SettingsDep, files: FilesDep) -> Json:
    """The keys of the workspace's own resources; the account key is the one that signs SAS tokens."""
    body = workspace(settings.base_url, scope)["properties"]
    return {
        "userStorageArmId": body["storageAccount"],
        "userStorageResourceId": body["storageAccount"],
        "userStorageKey": files.account_key,
        "appInsightsInstrumentationKey": "00000000-0000-4000-8000-0000000000a2",
        "containerRegistryCredentials": {
            "location": LOCATION,
            "username": "localregistry",
            "passwords": [{"name": "password", "value": files.account_key}],
        },
    }
