"""The inputs and outputs of a command as it sees them: paths, private copies, downloads, or addresses."""

from __future__ import annotations

import asyncio
from pathlib import Path

from azureml_local.jobs.downloads import Downloads
from azureml_local.jobs.expressions import mode
from azureml_local.jobs.nodes import Asset, Node
from azureml_local.storage.binding import bind
from azureml_local.storage.uris import Uris


class Mounts:
    """Brings data to commands, and takes them from there."""

    def __init__(self, uris: Uris, downloads: Downloads) -> None:
        self._uris, self._downloads = uris, downloads

    def places(self, node: Node) -> list[str]:
        """Files and folders of this machine that the node reads.

        Raises:
            ArmError: 404 or 400 if an address leads nowhere.
        """
        return [
            str(self._uris.resolve(value.uri))
            for value in node.inputs.values()
            if isinstance(value, Asset) and not self._uris.is_remote(value.uri)
        ]

    async def inputs(self, node: Node, folder: Path) -> dict[str, str | Path | None]:
        """The value of each input; what is downloaded or copied lies below ``folder``.

        Raises:
            ArmError: if an address leads nowhere, or cannot be downloaded.
        """
        return {
            name: await self._input(node, name, value, folder / name) if isinstance(value, Asset) else value
            for name, value in node.inputs.items()
        }

    async def _input(self, node: Node, name: str, asset: Asset, place: Path) -> str | Path:
        given = asset.mode or node.component.inputs.get(name, {}).get("mode")
        how = mode(given, f"Input {name!r} of {node.where.lower()}")
        address = self._uris.address(asset.uri)
        if how == "direct":
            return address
        if self._uris.is_remote(asset.uri):
            return await self._downloads.fetch(address, place, folder=node.input_type(name) != "uri_file")
        source = self._uris.resolve(asset.uri)
        if how == "mount":
            return source
        await asyncio.to_thread(bind, source, place / source.name)
        return place / source.name

    def outputs(self, node: Node) -> dict[str, str | Path]:
        """The place of each output, made where it is missing."""
        given: dict[str, str | Path] = {}
        for name, output in node.outputs.items():
            path = self._uris.resolve(output.uri)
            (path.parent if output.kind == "uri_file" else path).mkdir(parents=True, exist_ok=True)
            given[name] = self._uris.canonical(output.uri) if output.mode == "direct" else path
        return given
