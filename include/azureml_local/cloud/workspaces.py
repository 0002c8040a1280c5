"""The workspace: one, made with the service."""

from __future__ import annotations

from fastapi import Request

from azureml_local.arm import grammar
from azureml_local.arm.grammar import Json, Scope, scope_of
from azureml_local.routing import ScopeDep, ServiceDep, authorized_router
from azureml_local.service import Service
from azureml_local.settings import (
    LOCATION,
    RESOURCE_GROUP,
    STORAGE_ACCOUNT,
    TENANT_ID,
    WORKSPACE,
    WORKSPACE_GUID,
)

GROUP_PATH = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{grammar.PROVIDER}/workspaces"
)
SUBSCRIPTION_PATH = f"/subscriptions/{{subscription}}/providers/{grammar.PROVIDER}/workspaces"
CREATED = "2024-01-01T00:00:00.000000Z"

router = authorized_router()


def workspace(local: Service, scope: Scope) -> Json:
    """The workspace's ARM body (2024-10-01-preview)."""
    resources = f"/subscriptions/{scope.subscription}/resourceGroups/{scope.group}/providers"
    tracking = local.settings.base_url.replace("https://", "azureml://") + f"/mlflow/v1.0{scope.id}"
    properties = {
        "friendlyName": scope.workspace,
        "description": "The workspace of the local Azure ML.",
        "workspaceId": WORKSPACE_GUID,
        "storageAccount": f"{resources}/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}",
        "keyVault": f"{resources}/Microsoft.KeyVault/vaults/localvault",
        "applicationInsights": f"{resources}/Microsoft.Insights/components/localinsights",
        "containerRegistry": f"{resources}/Microsoft.ContainerRegistry/registries/localregistry",
        "discoveryUrl": f"{local.settings.base_url}/discovery",
        "mlFlowTrackingUri": tracking,
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
async def get(scope: ScopeDep, local: ServiceDep) -> Json:
    """One workspace."""
    return workspace(local, scope)


@router.get(GROUP_PATH)
async def list_in_group(subscription: str, group: str, request: Request, local: ServiceDep) -> Json:
    """The workspaces of a resource group."""
    return grammar.page(request, [workspace(local, scope_of(subscription, group, WORKSPACE))])


@router.get(SUBSCRIPTION_PATH)
async def list_in_subscription(subscription: str, request: Request, local: ServiceDep) -> Json:
    """The workspaces of a subscription."""
    return grammar.page(request, [workspace(local, scope_of(subscription, RESOURCE_GROUP, WORKSPACE))])


@router.post(f"{grammar.WORKSPACE_PATH}/listKeys")
async def list_keys(scope: ScopeDep, local: ServiceDep) -> Json:
    """The keys of the workspace's own resources; the account key is the one that signs SAS tokens."""
    body = workspace(local, scope)["properties"]
    return {
        "userStorageArmId": body["storageAccount"],
        "userStorageResourceId": body["storageAccount"],
        "userStorageKey": local.account_key,
        "appInsightsInstrumentationKey": "00000000-0000-4000-8000-0000000000a2",
        "containerRegistryCredentials": {
            "location": LOCATION,
            "username": "localregistry",
            "passwords": [{"name": "password", "value": local.account_key}],
        },
    }
