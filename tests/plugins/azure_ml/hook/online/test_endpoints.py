"""What the hook says of an endpoint, whoever has made it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azure_ml.hook import AzureMLHook
from tests.support.azureml_service import AzureMLLocal


@pytest.fixture
def somebody_elses(azureml_local: AzureMLLocal, unique: str) -> Iterator[str]:
    """Name of an endpoint that no operator has made."""
    body = {"location": "eastus", "tags": {"team": "search"}, "properties": {"authMode": "Key"}}
    answer = azureml_local.arm("PUT", f"/onlineEndpoints/{unique}", json=body)
    assert answer.is_success, answer.text
    yield unique
    azureml_local.arm("DELETE", f"/onlineEndpoints/{unique}")


def test_an_endpoint_is_shown_with_its_state_address_and_tags(hook: AzureMLHook, somebody_elses: str) -> None:
    endpoint = hook.endpoints.get(somebody_elses)
    assert endpoint is not None
    assert (endpoint.state, endpoint.traffic) == ("Succeeded", {})
    assert endpoint.scoring_uri.endswith(f"/{somebody_elses}/score")
    assert endpoint.belongs_to({"team": "search"})
    assert not endpoint.belongs_to({"team": "search", "run": "mine"})


def test_an_endpoint_and_a_deployment_that_do_not_exist_are_none(hook: AzureMLHook, unique: str) -> None:
    assert hook.endpoints.get(unique) is None
    assert hook.deployments.get(unique, "main") is None


def test_an_endpoint_without_deployments_has_none_and_is_in_the_list(
    hook: AzureMLHook, somebody_elses: str
) -> None:
    assert hook.deployments.list(somebody_elses) == []
    assert somebody_elses in {endpoint.name for endpoint in hook.endpoints.list()}
