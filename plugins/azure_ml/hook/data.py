"""Data assets of the workspace."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from azure_ml.errors import BadInput, NotFound
from azure_ml.hook import _sdk
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients

if TYPE_CHECKING:
    from azure.ai.ml import entities


@dataclass(frozen=True)
class DataAsset:
    """A version of a data asset."""

    name: str
    version: str
    id: str  # ARM id
    uri: str  # azureml:// address of its file


class DataAssets:
    """``hook.data``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def get(self, name: str, version: str) -> DataAsset | None:
        """The asset, or ``None`` if there is none."""
        try:
            with translated(f"read the data asset {name!r} version {version!r}"):
                return _asset(self._clients.workspace_client.data.get(name, version))
        except NotFound:
            return None

    # A version derived from the content lets a second call find what the first one registered.
    def register_file(
        self, name: str, version: str, path: Path, *, description: str, tags: dict[str, str] | None = None
    ) -> DataAsset:
        """Upload a file and register it as a ``uri_file``; returns the asset if it exists already."""
        if existing := self.get(name, version):
            return existing
        with translated(f"register the file {path.name!r} as data asset {name!r} version {version!r}"):
            from azure.ai.ml.entities import Data

            entity = Data(
                name=name,
                version=version,
                path=str(path),
                type="uri_file",
                description=description,
                tags=tags,
            )
            return _asset(self._clients.workspace_client.data.create_or_update(entity))

    def read_lines(self, uri: str) -> list[str]:
        """The lines of the one small text file at an ``azureml://`` URI."""
        with tempfile.TemporaryDirectory() as folder:
            with translated(f"download {uri!r}"):
                _sdk.download_uri(self._clients.workspace_client, uri, Path(folder))
            files = [path for path in Path(folder).rglob("*") if path.is_file()]
            if not files:
                raise NotFound(
                    f"There is no file at {uri!r}: check that the data asset is still in the workspace."
                )
            if len(files) > 1:
                raise BadInput(f"There are {len(files)} files at {uri!r}, not one: give the URI of a file.")
            return files[0].read_text(encoding="utf-8").splitlines()


def _asset(entity: entities.Data) -> DataAsset:
    return DataAsset(str(entity.name), str(entity.version), str(entity.id), str(entity.path))
