"""Reaching the workspace, and the sentence when it cannot be reached."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from azure_ml.errors import AuthFailed, BadConnection, NotFound, Unreachable
from azure_ml.hook import AzureMLHook
from azure_ml.operators import AzureMLCheckWorkspaceOperator
from tests.support.azureml_service import AzureMLLocal


def use(monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]) -> AzureMLHook:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps({"conn_type": "azure_ml", "extra": extra}))
    return AzureMLHook("other")


def test_the_workspace_and_the_registry_answer(connection: Any, context: Callable[..., Any]) -> None:
    found = AzureMLCheckWorkspaceOperator(task_id="connect").execute(context())
    assert found == {"workspace": "ws-local", "location": "eastus", "registry": "azureml"}


@pytest.mark.parametrize("auth_type", ["default", "managed_identity"])
def test_the_connection_can_be_tested_from_its_form(
    connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch, auth_type: str
) -> None:
    works, sentence = use(monkeypatch, {**connection, "auth_type": auth_type}).test_connection()
    assert works, sentence
    assert "'ws-local'" in sentence


def test_the_workspace_may_come_from_the_file_that_the_service_writes(
    azureml_local: AzureMLLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = use(monkeypatch, {"config_file": str(azureml_local.home / "config.json")})
    assert hook.workspace()["name"] == "ws-local"


def test_a_wrong_workspace_is_named_with_the_cure(
    connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = use(monkeypatch, {**connection, "workspace_name": "nowhere"})
    with pytest.raises(NotFound, match=r"Cannot read the workspace 'nowhere'.*check the name"):
        hook.workspace()


def test_a_wrong_registry_is_named(connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    hook = use(monkeypatch, {**connection, "registry_name": "nowhere"})
    with pytest.raises(NotFound, match="the registry 'nowhere'"):
        hook.registry.check()


def test_a_connection_that_is_not_there_is_named() -> None:
    with pytest.raises(BadConnection, match="no connection 'never_made'"):
        AzureMLHook("never_made").workspace()


def test_without_a_credential_the_sentence_says_so(
    connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    with pytest.raises(AuthFailed, match="check the connection's login"):
        use(monkeypatch, connection).workspace()


def test_a_token_that_the_service_refuses_is_an_error_of_authentication(
    azureml_local: AzureMLLocal, connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {
        "kind": "status",
        "method": "GET",
        "path": "*/workspaces/ws-local",
        "status": 403,
        "code": "AuthorizationFailed",
        "message": "The identity has no role.",
    }
    with azureml_local.faults(refused), pytest.raises(AuthFailed, match="The identity has no role"):
        use(monkeypatch, connection).workspace()


def test_a_local_azure_ml_that_is_not_running_is_named_with_the_command_that_starts_it(
    connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("ARM_CLOUD_METADATA_URL", f"https://localhost:{port}/metadata/endpoints")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"https://localhost:{port}/msi/token")
    works, sentence = use(monkeypatch, connection).test_connection()
    assert not works
    assert f"the local Azure ML is not running at https://localhost:{port}" in sentence
    assert "make azureml-local" in sentence
    with pytest.raises(Unreachable):
        use(monkeypatch, connection).workspace()
