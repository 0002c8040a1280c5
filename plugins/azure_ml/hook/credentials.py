"""From settings to a credential of azure-identity."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypedDict

from azure_ml.hook.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

PUBLIC_CLOUDS: Final = ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud")


class _CloudArguments(TypedDict, total=False):
    authority: str
    disable_instance_discovery: bool


# For a cloud that Microsoft does not run: discovery would ask Microsoft's host about the login host.
def _cloud_arguments() -> _CloudArguments:
    if os.environ.get("AZUREML_CURRENT_CLOUD", "AzureCloud") in PUBLIC_CLOUDS:
        return {}
    from azure_ml.hook import _sdk

    return {"authority": _sdk.login_endpoint(), "disable_instance_discovery": True}


def build(settings: Settings) -> TokenCredential:
    """The credential that the settings ask for."""
    from azure import identity

    if settings.auth_type == "service_principal":
        return identity.ClientSecretCredential(
            str(settings.tenant_id),
            str(settings.client_id),
            str(settings.client_secret),
            **_cloud_arguments(),
        )
    if settings.auth_type == "managed_identity":
        return identity.ManagedIdentityCredential(client_id=settings.client_id)
    if settings.auth_type == "workload_identity":
        ids = {"tenant_id": settings.tenant_id, "client_id": settings.client_id}
        return identity.WorkloadIdentityCredential(
            **{name: value for name, value in ids.items() if value}, **_cloud_arguments()
        )
    return identity.DefaultAzureCredential(
        managed_identity_client_id=settings.client_id, workload_identity_tenant_id=settings.tenant_id
    )
