"""The way in: cloud metadata, tokens, the workspace."""

from __future__ import annotations

import httpx
import pytest

from tests.support.azureml_service import AzureMLLocal


def test_the_sdk_gets_the_workspace(azureml_local: AzureMLLocal) -> None:
    workspace = azureml_local.ml_client().workspaces.get()
    assert workspace.name == "ws-local"
    assert workspace.location == "eastus"
    assert workspace.mlflow_tracking_uri.startswith(azureml_local.base_url.replace("https", "azureml"))
    assert workspace.discovery_url == f"{azureml_local.base_url}/discovery"


def test_the_sdk_lists_workspaces_and_reads_their_keys(azureml_local: AzureMLLocal) -> None:
    client = azureml_local.ml_client()
    assert [workspace.name for workspace in client.workspaces.list()] == ["ws-local"]
    assert client.workspaces.get_keys("ws-local").user_storage_key


def test_a_workspace_that_does_not_exist_is_refused(azureml_local: AzureMLLocal) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="nobody"):
        azureml_local.ml_client().workspaces.get("nobody")


def test_a_request_without_a_token_is_refused(azureml_local: AzureMLLocal) -> None:
    subscription = azureml_local.environment["AZURE_SUBSCRIPTION_ID"]
    url = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/workspaces"
    assert azureml_local.http.get(url).status_code == 401
    forged = azureml_local.http.get(url, headers={"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."})
    assert forged.json()["error"]["code"] == "InvalidAuthenticationToken"
    served = azureml_local.http.get(url, headers=azureml_local.token(), params={"api-version": "2024-10-01"})
    assert served.status_code == 200


def test_a_token_needs_the_identity_header(azureml_local: AzureMLLocal) -> None:
    answer = azureml_local.http.get("/msi/token", params={"resource": "https://x"})
    assert answer.status_code == 401
    assert "azure.env" in answer.json()["error"]["message"]


def test_an_unknown_route_is_named(azureml_local: AzureMLLocal) -> None:
    answer: httpx.Response = azureml_local.http.get("/no/such/route")
    assert answer.status_code == 501
    assert "GET /no/such/route" in answer.json()["error"]["message"]
