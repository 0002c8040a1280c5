"""Files in the workspace's default datastore, by their path."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

from azure_ml.hook import _sdk
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients

BLOCK: Final = 4 << 20


class WorkspaceFiles:
    """``hook.files``. A file appears whole, once its last block has come, or not at all."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def _container(self) -> tuple[str, Any]:
        with translated("reach the workspace's default datastore"):
            return _sdk.default_container(self._clients.workspace_client)

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of each file whose path begins so."""
        _, container = self._container()
        with translated(f"list {folder!r}"):
            return {str(blob.name): int(blob.size) for blob in container.list_blobs(name_starts_with=folder)}

    def read(self, path: str) -> bytes:
        """A file's content; raises NotFound: if there is no such file."""
        _, container = self._container()
        with translated(f"read {path!r}"):
            return bytes(container.download_blob(path).readall())

    def fetch(self, path: str, target: Path) -> None:
        """Download a file; raises NotFound: if there is no such file."""
        _, container = self._container()
        with translated(f"read {path!r}"), target.open("wb") as file:
            container.download_blob(path).readinto(file)

    def write(self, path: str, content: bytes | Path) -> None:
        """Write a file from bytes or, block by block, from a file; one that is there is replaced."""
        _, container = self._container()
        with translated(f"write {path!r}"):
            if isinstance(content, bytes):
                container.upload_blob(path, content, overwrite=True)
                return
            with content.open("rb") as file:
                # Of a file up to 64 MB, whose size it can see, the client would make one request from memory.
                container.upload_blob(path, iter(partial(file.read, BLOCK), b""), overwrite=True)

    def uri(self, path: str) -> str:
        """Its ``azureml://`` address."""
        store, _ = self._container()
        return f"azureml://datastores/{store}/paths/{path}"
