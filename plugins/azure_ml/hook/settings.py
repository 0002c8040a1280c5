"""The checked content of an Airflow connection of type ``azure_ml``."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from azure_ml.errors import BadConnection
from azure_ml.provider import AUTH_TYPES, DEFAULT_PROJECT, PROJECT_PATTERN

if TYPE_CHECKING:
    from airflow.sdk import Connection

DEFAULT_REGISTRY: Final = "azureml"
PLACE: Final = ("subscription_id", "resource_group", "workspace_name")


@dataclass(frozen=True)
class Settings:
    """Where the workspace is and how to log in."""

    subscription_id: str
    resource_group: str
    workspace_name: str
    registry_name: str = DEFAULT_REGISTRY  # of base models and components
    project: str = DEFAULT_PROJECT  # the Airflow installation; a tag of everything that it creates
    auth_type: str = "default"  # one of AUTH_TYPES
    tenant_id: str | None = None  # None leaves it to the credential
    client_id: str | None = None  # None leaves it to the credential
    client_secret: str | None = field(default=None, repr=False)  # only for a service principal

    @property
    def workspace_id(self) -> str:
        """The workspace's ARM id."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace_name}"
        )

    @property
    def workspace_uri(self) -> str:
        """The workspace in the path of an ``azureml://`` URI, with a slash in front."""
        return (
            f"/subscriptions/{self.subscription_id}/resourcegroups/{self.resource_group}"
            f"/workspaces/{self.workspace_name}"
        )

    @classmethod
    def from_connection(cls, connection: Connection) -> Settings:
        """Read a connection; raises :class:`BadConnection` if a field is missing or wrong."""
        extra: dict[str, str | None] = connection.extra_dejson
        where = f"The Airflow connection {connection.conn_id!r}"
        place = {name: extra.get(name) for name in PLACE}
        # The file that the workspace's page offers stands for the three fields.
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


def _from_config_file(where: str, file: str) -> dict[str, str | None]:
    path = Path(os.path.expandvars(file)).expanduser()
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadConnection(
            f"{where} names the config_file {file!r}, which cannot be read as JSON ({error}): "
            "download config.json from the workspace's page and give its path."
        ) from error
    return {name: content.get(name) for name in PLACE}
