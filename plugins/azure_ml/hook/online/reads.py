"""Reads an endpoint or a deployment."""

from __future__ import annotations

from azure_ml.errors import NotFound
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.online.entities import Deployment, Endpoint


def read_endpoint(clients: Clients, name: str) -> Endpoint | None:
    """The endpoint, or ``None`` if there is none of that name."""
    try:
        with translated(f"read the endpoint {name!r}"):
            return Endpoint.of(clients.workspace_client.online_endpoints.get(name))
    except NotFound:
        return None


def read_deployment(clients: Clients, endpoint: str, name: str) -> Deployment | None:
    """The deployment, or ``None`` if there is none of that name."""
    try:
        with translated(f"read the deployment {name!r} of {endpoint!r}"):
            entity = clients.workspace_client.online_deployments.get(name, endpoint)
            return Deployment.of(entity, endpoint)
    except NotFound:
        return None
