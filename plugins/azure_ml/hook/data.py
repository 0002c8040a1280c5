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

    def register(
        self, name: str, version: str, uri: str, *, description: str, tags: dict[str, str] | None = None
    ) -> DataAsset:
        """Register a file that is in the workspace's store.

        Args:
            name: of the asset.
            version: best derived from the content, so that a second call finds the first one's.
            uri: ``azureml://`` address of the file; nothing is uploaded.
            description: shown in Studio.
            tags: of the asset.
        """
        with translated(f"register {uri!r} as data asset {name!r} version {version!r}"):
            from azure.ai.ml.entities import Data

            asset = Data(
                name=name, version=version, path=uri, type="uri_file", description=description, tags=tags
            )
            return _asset(self._clients.workspace_client.data.create_or_update(asset))

    def read_lines(self, uri: str) -> list[str]:
        r"""The lines of the one text file at an ``azureml://`` URI; for small files, as it is read whole.

        A line ends at ``\\n`` only: other separators may stand inside a line of JSON.

        Raises:
            NotFound: if there is nothing at the URI.
            BadInput: if there is more than one file.
        """
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
            lines = files[0].read_bytes().decode("utf-8-sig").split("\n")
            return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def _asset(entity: entities.Data) -> DataAsset:
    return DataAsset(str(entity.name), str(entity.version), str(entity.id), str(entity.path))
