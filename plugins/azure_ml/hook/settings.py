"""What an Airflow connection of type ``azure_ml`` says, checked."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import BadConnection
from azure_ml.lifecycle.tags import DEFAULT_PROJECT
from azure_ml.provider import AUTH_TYPES, PROJECT_PATTERN

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_REGISTRY: Final = "azureml"
PLACE: Final = ("subscription_id", "resource_group", "workspace_name")


@dataclass(frozen=True)
class Settings:
    """Where the workspace is and how to log in.

    Attributes:
        subscription_id: GUID of the subscription.
        resource_group: name of the resource group.
        workspace_name: name of the workspace.
        registry_name: registry of base models and components.
        project: which Airflow installation this is; a tag of everything that it makes.
        auth_type: one of :data:`azure_ml.provider.AUTH_TYPES`.
        tenant_id: GUID of the tenant; ``None`` leaves it to the credential.
        client_id: application id; ``None`` leaves it to the credential.
        client_secret: only for a service principal; never printed.
    """

    subscription_id: str
    resource_group: str
    workspace_name: str
    registry_name: str = DEFAULT_REGISTRY
    project: str = DEFAULT_PROJECT
    auth_type: str = "default"
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)

    @property
    def workspace_id(self) -> str:
        """The workspace's ARM id."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace_name}"
        )

    @property
    def workspace_uri(self) -> str:
        """The workspace as the path of an ``azureml://`` URI has it, beginning with a slash."""
        return (
            f"/subscriptions/{self.subscription_id}/resourcegroups/{self.resource_group}"
            f"/workspaces/{self.workspace_name}"
        )

    @classmethod
    def from_connection(cls, connection: Connection) -> Settings:
        """Read a connection; its extra may name a ``config_file`` in place of the workspace's three fields.

        Raises:
            BadConnection: if a field is missing or wrong.
        """
        extra: dict[str, Any] = connection.extra_dejson
        where = f"The Airflow connection {connection.conn_id!r}"
        place = {name: extra.get(name) for name in PLACE}
        if extra.get("config_file"):
            place = _from_config_file(where, str(extra["config_file"]))
        missing = [name for name, value in place.items() if not value]
        if missing:
            raise BadConnection(
                f"{where} lacks {' and '.join(missing)} in its extra: add it, or give 'config_file' with the "
                "path of the workspace's config.json."
            )
        settings = cls(
            **{name: str(value) for name, value in place.items()},
            registry_name=extra.get("registry_name") or DEFAULT_REGISTRY,
            project=str(extra.get("project") or DEFAULT_PROJECT),
            auth_type=extra.get("auth_type") or "default",
            tenant_id=extra.get("tenant_id") or None,
            client_id=connection.login or None,
            client_secret=connection.password or None,
        )
        settings._check_login(where)
        settings._check_project(where)
        return settings

    def _check_project(self, where: str) -> None:
        if not re.fullmatch(PROJECT_PATTERN, self.project):
            raise BadConnection(
                f"{where} names the project {self.project!r}, which cannot be a tag's value here: "
                "use up to 63 letters, digits, dots, dashes and underscores."
            )

    def _check_login(self, where: str) -> None:
        if self.auth_type not in AUTH_TYPES:
            raise BadConnection(
                f"{where} asks for auth_type {self.auth_type!r}, which there is not: "
                f"use one of {', '.join(AUTH_TYPES)}."
            )
        if self.auth_type == "service_principal":
            needed = {"tenant_id": self.tenant_id, "login": self.client_id, "password": self.client_secret}
            missing = [name for name, value in needed.items() if not value]
            if missing:
                raise BadConnection(
                    f"{where} logs in as a service principal but lacks {' and '.join(missing)}: fill it in, "
                    "or choose another auth_type."
                )


def _from_config_file(where: str, file: str) -> dict[str, Any]:
    path = Path(os.path.expandvars(file)).expanduser()
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadConnection(
            f"{where} names the config_file {file!r}, which cannot be read as JSON ({error}): "
            "download config.json from the workspace's page and give its path."
        ) from error
    return {name: content.get(name) for name in PLACE}
