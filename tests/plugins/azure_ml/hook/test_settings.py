"""What a connection must say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk._shared.secrets_masker import redact

from azure_ml.errors import AzureMLError, BadConnection
from azure_ml.hook import AzureMLHook
from azure_ml.hook.settings import Settings
from azure_ml.operators import AzureMLCheckWorkspaceOperator
from tests.support.azureml_service import AzureMLLocal

PLACE = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}


def settings(extra: dict[str, Any], **fields: Any) -> Settings:
    return Settings.from_connection(
        Connection(conn_id="c", conn_type="azure_ml", extra=json.dumps(extra), **fields)
    )


def test_the_workspaces_fields_are_enough() -> None:
    found = settings(PLACE)
    assert (found.registry_name, found.auth_type, found.client_secret) == ("azureml", "default", None)
    assert found.workspace_id.endswith(
        "/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    )


def test_a_missing_field_is_named() -> None:
    with pytest.raises(BadConnection, match="'c' lacks resource_group and workspace_name"):
        settings({"subscription_id": "s"})


def test_the_workspace_may_come_from_its_config_file(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(PLACE))
    assert settings({"config_file": str(file)}).workspace_name == "w"


def test_a_config_file_that_is_not_there_is_named() -> None:
    with pytest.raises(BadConnection, match=r"config\.json', which cannot be read"):
        settings({"config_file": "/nowhere/config.json"})


def test_a_service_principal_needs_its_secret() -> None:
    with pytest.raises(BadConnection, match="lacks tenant_id and password"):
        settings({**PLACE, "auth_type": "service_principal"}, login="app")


def test_an_unknown_way_to_log_in_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadConnection, match=r"'magic'.*default, service_principal, managed_identity"):
        settings({**PLACE, "auth_type": "magic"})


def test_the_secret_is_not_in_what_is_printed() -> None:
    extra = {**PLACE, "auth_type": "service_principal", "tenant_id": "t"}
    assert "hush" not in repr(settings(extra, login="app", password="hush"))


@pytest.mark.parametrize("project", ["a project", "../x", "x" * 64])
def test_a_project_that_cannot_be_a_tag_is_refused(project: str) -> None:
    with pytest.raises(BadConnection, match="cannot be a tag's value here"):
        settings({**PLACE, "project": project})


def test_the_project_is_airflow_unless_the_connection_says_otherwise() -> None:
    assert settings(PLACE).project == "airflow"
    assert settings({**PLACE, "project": "team-b"}).project == "team-b"


def test_a_login_that_is_refused_and_what_is_logged_of_it_do_not_show_the_secret(
    azureml_local: AzureMLLocal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "hush-Hush-0815"
    extra = {**PLACE, "auth_type": "service_principal", "tenant_id": "t"}
    uri = json.dumps({"conn_type": "azure_ml", "login": "app", "password": secret, "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_ML_SECRET", uri)
    hook = AzureMLHook("azure_ml_secret")
    operator = AzureMLCheckWorkspaceOperator(task_id="connect", azure_ml_conn_id="azure_ml_secret")
    with caplog.at_level("DEBUG"), pytest.raises(AzureMLError) as told:
        operator.execute({})
    rendered = [str(getattr(operator, name)) for name in operator.template_fields]
    assert hook.settings.client_secret == secret
    for text in (str(told.value), caplog.text, repr(operator.hook.settings), *rendered):
        assert secret not in text
    assert redact(f"the secret is {secret}") == "the secret is ***"
