"""Calls about data assets."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure_ml.errors import BadInput, NotFound
from azure_ml.hook import _sdk
from azure_ml.hook._translate import translated

if TYPE_CHECKING:
    from azure_ml.hook.client import AzureMLHook


@dataclass(frozen=True)
class DataAsset:
    """A version of a data asset: ``id`` is its ARM id, ``uri`` the ``azureml://`` address of its file."""

    name: str
    version: str
    id: str
    uri: str


def _asset(found: Any) -> DataAsset:
    return DataAsset(str(found.name), str(found.version), str(found.id), str(found.path))


class DataAssets:
    """``hook.data``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    def get(self, name: str, version: str) -> DataAsset | None:
        """The asset, or ``None`` if there is none."""
        try:
            with translated(f"read the data asset {name!r} version {version!r}"):
                return _asset(self._hook.workspace_client.data.get(name, version))
        except NotFound:
            return None

    def register_file(
        self, name: str, version: str, path: Path, *, description: str, tags: dict[str, str] | None = None
    ) -> DataAsset:
        """Upload a file to the workspace's store and register it; what is registered already is returned.

        Args:
            name: of the asset.
            version: best derived from the content, so that a second call finds the first one's.
            path: the file.
            description: shown in Studio.
            tags: of the asset.
        """
        if existing := self.get(name, version):
            return existing
        with translated(f"register the file {path.name!r} as data asset {name!r} version {version!r}"):
            from azure.ai.ml.entities import Data

            wanted = Data(
                name=name,
                version=version,
                path=str(path),
                type="uri_file",
                description=description,
                tags=tags,
            )
            return _asset(self._hook.workspace_client.data.create_or_update(wanted))

    def read_lines(self, uri: str) -> list[str]:
        """The lines of the one text file at an ``azureml://`` URI; for small files, as it is read whole.

        Raises:
            NotFound: if there is nothing at the URI.
            BadInput: if there is more than one file.
        """
        with tempfile.TemporaryDirectory() as folder:
            with translated(f"download {uri!r}"):
                _sdk.download_uri(self._hook.workspace_client, uri, Path(folder))
            files = [path for path in Path(folder).rglob("*") if path.is_file()]
            if not files:
                raise NotFound(
                    f"There is no file at {uri!r}: check that the data asset is still in the workspace."
                )
            if len(files) > 1:
                raise BadInput(f"There are {len(files)} files at {uri!r}, not one: give the URI of a file.")
            return files[0].read_text(encoding="utf-8").splitlines()
