"""What a connection must say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from azure_ml.errors import BadConnection
from azure_ml.hook.settings import Settings

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
