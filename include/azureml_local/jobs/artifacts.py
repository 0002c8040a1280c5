"""``./outputs`` and ``./logs`` of a step: folders of its own while it runs, artifacts of its run ever after."""

from __future__ import annotations

import shutil
from pathlib import Path

from azureml_local.jobs.history import History
from azureml_local.settings import Settings

KEPT = ("outputs", "logs")


class Artifacts:
    """The working folders of steps, and what is kept of them."""

    def __init__(self, settings: Settings, history: History) -> None:
        self._folder, self._history = settings.home / "jobs", history

    def work(self, run_id: str) -> Path:
        """The working folder of a step."""
        return self._folder / run_id

    def code(self, run_id: str) -> Path:
        """The folder that its command runs in."""
        return self.work(run_id) / "code"

    def open(self, run_id: str) -> None:
        """Make both folders, with what an attempt before this one wrote; the run shows them from now on."""
        for name in KEPT:
            own, shown = self.code(run_id) / name, self._history.artifact(run_id, name)
            own.mkdir(parents=True, exist_ok=True)
            _settle(shown)
            if shown.is_dir():
                _move(shown, own)
            shown.parent.mkdir(parents=True, exist_ok=True)
            # The step's own folder is real: programs refuse to remove, or to load a model from, a link.
            shown.symlink_to(own, target_is_directory=True)

    def close(self, run_id: str) -> None:
        """Put what was written in the place of what was shown, and remove the working folder."""
        for name in KEPT:
            own, shown = self.code(run_id) / name, self._history.artifact(run_id, name)
            _settle(shown)
            if own.is_dir() and any(own.iterdir()):
                _move(own, shown)
        shutil.rmtree(self.work(run_id), ignore_errors=True)


def _settle(shown: Path) -> None:
    """Show nothing any longer."""
    if shown.is_symlink():
        shown.unlink()


def _move(source: Path, target: Path) -> None:
    """Move all files of a folder into another; those that are there already give way."""
    for entry in source.iterdir():
        place = target / entry.name
        if entry.is_dir() and not entry.is_symlink() and place.is_dir():
            _move(entry, place)
        else:
            target.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            shutil.move(entry, place)
    shutil.rmtree(source, ignore_errors=True)
