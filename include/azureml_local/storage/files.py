"""The storage account's files, below ``<home>/blobs/<account>/<container>``, and the URLs that open them.

What a blob carries besides its bytes (metadata, content type, MD5) is in the store under the kind ``blobs``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from azureml_local.arm.grammar import ArmError
from azureml_local.engine import sas
from azureml_local.settings import BLOB_CONTAINER, STORAGE_ACCOUNT, STORAGE_SUFFIX

if TYPE_CHECKING:
    from azureml_local.service import Service

ACCOUNT_HOST = f"{STORAGE_ACCOUNT}.blob.{STORAGE_SUFFIX}"
"""First segment of every blob URL: with a port in its name, the SDK's account address becomes a path."""
ARTIFACTS = "azureml"
"""Container of job artifacts, such as logs; the datastore ``workspaceartifactstore``."""
REGISTRY_CONTAINER = "azureml-registry"
"""Container of the weights that a user published into the registry."""


def blob_path(local: Service, container: str, path: str = "") -> Path:
    """Local file of a blob, or folder of a container.

    Raises:
        ArmError: 400 if the names would lead outside the container's folder.
    """
    account = local.settings.home / "blobs" / STORAGE_ACCOUNT
    root = account / container
    target = root / path
    if "\0" in container + path:
        raise ArmError(400, "InvalidUri", "A blob name holds no NUL character.")
    inside = root.parent == account and container not in ("", ".", "..") and ".." not in Path(path).parts
    if not inside or not target.is_relative_to(root):
        raise ArmError(
            400, "InvalidUri", f"The blob name {container}/{path} leads outside its container.", target=path
        )
    return target


def blob_url(local: Service, container: str, path: str = "") -> str:
    """Address of a blob or container, without a signature."""
    return f"{local.settings.base_url}/{ACCOUNT_HOST}/{container}" + (f"/{quote(path)}" if path else "")


def sas_url(
    local: Service, container: str, path: str = "", permissions: str = "r", seconds: float = 3600
) -> str:
    """Address of a blob (of the whole container if ``path`` is empty) that opens it for ``seconds``."""
    token = sas.token(local.account_key, container, path, permissions=permissions, seconds=seconds)
    return f"{blob_url(local, container, path)}?{token}"


def names(local: Service, container: str, prefix: str = "") -> Iterator[str]:
    """Names of the blobs that begin with a prefix, in order."""
    root = blob_path(local, container)
    folder = blob_path(local, container, prefix if prefix.endswith("/") else prefix.rpartition("/")[0])
    # Followed, because published weights are shown by a link to their folder.
    found = (
        Path(at, file).relative_to(root).as_posix()
        for at, _, files in os.walk(folder, followlinks=True)
        for file in files
    )
    yield from sorted(name for name in found if name.startswith(prefix) and not name.startswith(".blocks/"))


def clear(local: Service) -> None:
    """Remove every blob."""
    shutil.rmtree(local.settings.home / "blobs", ignore_errors=True)


def ensure_containers(local: Service) -> None:
    """Make the containers that a workspace comes with."""
    for container in (BLOB_CONTAINER, ARTIFACTS, REGISTRY_CONTAINER):
        blob_path(local, container).mkdir(parents=True, exist_ok=True)
