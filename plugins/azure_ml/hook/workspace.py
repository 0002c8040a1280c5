"""The workspace itself, and its pages in Studio."""

from __future__ import annotations

from typing import TypedDict

from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients


class WorkspaceFacts(TypedDict):
    """Name, region and MLflow address of a workspace."""

    name: str
    location: str
    mlflow_tracking_uri: str


def read(clients: Clients) -> WorkspaceFacts:
    """Read the workspace from the service; raises :class:`NotFound` or :class:`AuthFailed`."""
    place = clients.settings
    where = f"{place.workspace_name!r} in resource group {place.resource_group!r}"
    with translated(f"read the workspace {where} of subscription {place.subscription_id!r}"):
        workspace = clients.workspace_client.workspaces.get(place.workspace_name)
        return {
            "name": str(workspace.name),
            "location": str(workspace.location),
            "mlflow_tracking_uri": str(workspace.mlflow_tracking_uri),
        }


def studio_url(clients: Clients, path: str) -> str:
    """A page of Studio about something in the workspace, for example ``/runs/my-job``."""
    settings = clients.settings
    url = f"{clients.studio_endpoint}{path}?wsid={settings.workspace_id}"
    return url + (f"&tid={settings.tenant_id}" if settings.tenant_id else "")
