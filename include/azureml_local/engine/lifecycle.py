"""The one lifecycle of everything that the service is composed of."""

from __future__ import annotations

from pathlib import Path


class Part:
    """Base of the service's parts; each overrides what it has to do.

    Together they are the service's whole state: starting, ending, resetting and snapshots are loops over them.
    """

    async def start(self) -> None:
        """Take up what the last end of the service, or a snapshot, left."""

    async def stop(self) -> None:
        """End all work in the background; what is stored stays."""

    def clear(self) -> None:
        """Forget everything. Called while the part is stopped."""

    def save(self, folder: Path) -> None:
        """Write the state into the folder of a snapshot."""

    def load(self, folder: Path) -> None:
        """Replace the state by what :meth:`save` wrote. Called while the part is stopped."""
