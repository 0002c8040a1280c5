"""The storage account's files, below ``<home>/blobs/<account>/<container>``, and the URLs that open them.

What a blob carries besides its bytes (metadata, content type, MD5) is in the store under the kind ``blobs``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from azureml_local.arm.grammar import ArmError
from azureml_local.engine import sas
from azureml_local.engine.folder import Folder
from azureml_local.routing import part
from azureml_local.settings import BLOB_CONTAINER, STORAGE_ACCOUNT, STORAGE_SUFFIX, Settings

# First segment of every blob URL: with a port in its name, the SDK's account address becomes a path.
ACCOUNT_HOST = f"{STORAGE_ACCOUNT}.blob.{STORAGE_SUFFIX}"
# Container of job artifacts, such as logs; the datastore `workspaceartifactstore`.
ARTIFACTS = "azureml"
# Container of the weights that a user published into the registry.
REGISTRY_CONTAINER = "azureml-registry"


class Files(Folder):
    """The account's containers and blobs.

    Attributes:
        base_url: where URLs of blobs begin.
        account_key: key of the account, base64; it signs SAS tokens.
    """

    def __init__(self, settings: Settings, account_key: str) -> None:
        super().__init__(settings.home / "blobs")
        self.base_url, self.account_key = settings.base_url, account_key

    async def start(self) -> None:
        """Make the containers that a workspace comes with."""
        self.ensure_containers()

    def ensure_containers(self) -> None:
        """Make the containers that a workspace comes with."""
        for container in (BLOB_CONTAINER, ARTIFACTS, REGISTRY_CONTAINER):
            self.path(container).mkdir(parents=True, exist_ok=True)

    def path(self, container: str, name: str = "") -> Path:
        """Local file of a blob, or folder of a container.

        Raises:
            ArmError: 400 if the names would lead outside the container's folder.
        """
        account = self.folder / STORAGE_ACCOUNT
        root = account / container
        target = root / name
        if "\0" in container + name or any(
            len(part.encode()) > 255 for part in (container, *name.split("/"))
        ):
            raise ArmError(
                400, "InvalidUri", "A blob name holds no NUL character, and no part of more than 255 bytes."
            )
        inside = root.parent == account and container not in ("", ".", "..") and ".." not in Path(name).parts
        if not inside or not target.is_relative_to(root):
            raise ArmError(
                400,
                "InvalidUri",
                f"The blob name {container}/{name} leads outside its container.",
                target=name,
            )
        return target

    def url(self, container: str, name: str = "") -> str:
        """Address of a blob or container, without a signature."""
        return f"{self.base_url}/{ACCOUNT_HOST}/{container}" + (f"/{quote(name)}" if name else "")

    def sas_url(
        self, container: str, name: str = "", *, permissions: str = "r", seconds: float = 3600
    ) -> str:
        """Address of a blob (of the whole container if ``name`` is empty) that opens it for ``seconds``."""
        token = sas.token(self.account_key, container, name, permissions=permissions, seconds=seconds)
        return f"{self.url(container, name)}?{token}"

    def names(self, container: str, prefix: str = "") -> Iterator[str]:
        """Names of the blobs that begin with a prefix, in order."""
        root = self.path(container)
        folder = self.path(container, prefix if prefix.endswith("/") else prefix.rpartition("/")[0])
        # Links are followed: the folder of published weights is one.
        blobs = (
            Path(at, file).relative_to(root).as_posix()
            for at, _, files in os.walk(folder, followlinks=True)
            for file in files
        )
        yield from sorted(
            name for name in blobs if name.startswith(prefix) and not name.startswith(".blocks/")
        )


def check_name(name: str) -> None:
    """Refuse a blob's name that no list could show; ArmError 400."""
    # Source: XML 1.0, the characters that a document may hold.
    if re.search(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]", name) or len(name) > 1024:
        raise ArmError(
            400,
            "InvalidUri",
            f"The blob name {name[:80]!r} holds control characters, or is longer than 1,024.",
        )


FilesDep = Annotated[Files, part(Files)]
