"""The whole state under a name, and back: what each part of the service keeps of itself.

A snapshot is the folder ``<home>/snapshots/<name>``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from azureml_local.arm.grammar import ArmError
from azureml_local.service import Service

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def names(home: Path) -> list[str]:
    """The snapshots that there are, in order."""
    folder = home / "snapshots"
    return (
        sorted(path.name for path in folder.iterdir() if NAME.fullmatch(path.name)) if folder.is_dir() else []
    )


async def save(service: Service, name: str) -> None:
    """Keep the state of this moment, in place of a snapshot of the same name. Requests get 503 meanwhile.

    Raises:
        ArmError: 400 for a name that is not valid.
    """
    folder = _folder(service.settings.home, name)

    def write() -> None:
        new = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for part in service.parts:
            part.save(new)
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)

    await service.closed(write)


async def restore(service: Service, name: str) -> None:
    """Take the state of a snapshot: what runs is ended, jobs that ran when it was taken are Failed.

    Raises:
        ArmError: 400 for a name that is not valid; 404 if there is no such snapshot.
    """
    folder = _folder(service.settings.home, name)
    if not folder.is_dir():
        known = ", ".join(names(service.settings.home)) or "none"
        raise ArmError(
            404, "ResourceNotFound", f"There is no snapshot {name!r}; there are: {known}.", target=name
        )

    def read() -> None:
        for part in service.parts:
            part.load(folder)

    await service.stopped(read)


async def reset(service: Service) -> None:
    """Forget everything."""

    def clear() -> None:
        for part in service.parts:
            part.clear()

    await service.stopped(clear)


def _folder(home: Path, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise ArmError(
            400,
            "UserError",
            f"Snapshot name {name!r} is not valid: use letters, digits, - and _, at most 64.",
        )
    return home / "snapshots" / name
