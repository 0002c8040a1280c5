"""From settings to a credential of azure-identity."""

from __future__ import annotations

import os
from typing import Any, Final

from azure_ml.hook.settings import Settings

PUBLIC_CLOUDS: Final = ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud")


def _cloud_kwargs() -> dict[str, Any]:
    """Login host of a cloud that Microsoft does not run, without the discovery that asks Microsoft's host."""
    cloud = os.environ.get("AZUREML_CURRENT_CLOUD", "AzureCloud")
    if cloud in PUBLIC_CLOUDS:
        return {}
    from azure_ml.hook import _sdk

    return {"authority": _sdk.login_endpoint(), "disable_instance_discovery": True}


def build(settings: Settings, *, asynchronous: bool = False) -> Any:
    """The credential that the settings ask for.

    Args:
        settings: a checked connection.
        asynchronous: build it from ``azure.identity.aio``.
    """
    if asynchronous:
        from azure.identity import aio as identity
    else:
        from azure import identity  # type: ignore[no-redef]

    if settings.auth_type == "service_principal":
        return identity.ClientSecretCredential(
            str(settings.tenant_id), str(settings.client_id), str(settings.client_secret), **_cloud_kwargs()
        )
    if settings.auth_type == "managed_identity":
        return identity.ManagedIdentityCredential(client_id=settings.client_id)
    if settings.auth_type == "workload_identity":
        given = {"tenant_id": settings.tenant_id, "client_id": settings.client_id}
        return identity.WorkloadIdentityCredential(
            **{name: value for name, value in given.items() if value}, **_cloud_kwargs()
        )
    return identity.DefaultAzureCredential(
        managed_identity_client_id=settings.client_id, workload_identity_tenant_id=settings.tenant_id
    )
