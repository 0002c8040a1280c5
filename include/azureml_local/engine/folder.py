"""State that is a folder of files: how it is forgotten, kept in a snapshot, and put back."""

from __future__ import annotations

import shutil
from pathlib import Path

from azureml_local.engine.lifecycle import Part


class Folder(Part):
    """Base of what keeps its state in a folder; a snapshot holds the folder under its own name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def save(self, folder: Path) -> None:
        """Copy the folder, links as links."""
        if self.folder.is_dir():
            shutil.copytree(self.folder, folder / self.folder.name, symlinks=True)

    def load(self, folder: Path) -> None:
        """Replace the folder by the copy."""
        self.clear()
        if (folder / self.folder.name).is_dir():
            shutil.copytree(folder / self.folder.name, self.folder, symlinks=True)
