"""The whole state under a name, and back: documents, metrics, blobs and data sets of the Hub.

A snapshot is the folder ``<home>/snapshots/<name>``.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_local.arm.grammar import ArmError

if TYPE_CHECKING:
    from azureml_local.service import Service

FOLDERS = ("blobs", "hub")
"""Folders of the service's home that belong to its state."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def names(local: Service) -> list[str]:
    """The snapshots that there are, in order."""
    folder = local.settings.home / "snapshots"
    return (
        sorted(path.name for path in folder.iterdir() if NAME.fullmatch(path.name)) if folder.is_dir() else []
    )


async def save(local: Service, name: str) -> None:
    """Keep the state of this moment; one of the same name is replaced. Requests wait meanwhile (503).

    Raises:
        ArmError: 400 for a name that is none.
    """
    folder = _folder(local, name)
    async with _closed(local):
        await asyncio.to_thread(_write, local, folder)


async def restore(local: Service, name: str) -> None:
    """Take the state of a snapshot: what runs is ended, jobs that ran when it was taken are Failed.

    Raises:
        ArmError: 400 for a name that is none; 404 if there is no such snapshot.
    """
    folder = _folder(local, name)
    if not folder.is_dir():
        known = ", ".join(names(local)) or "none"
        raise ArmError(
            404, "ResourceNotFound", f"There is no snapshot {name!r}; there are: {known}.", target=name
        )
    await replace_state(local, lambda: _read(local, folder))


async def replace_state(local: Service, change: Callable[[], None]) -> None:
    """End all that runs, call ``change`` in a thread, and start again from the state that it leaves."""
    from azureml_local.front.app import NOUNS

    async with _closed(local):
        await local.operations.stop()
        for module in NOUNS:
            if hasattr(module, "shutdown"):
                await module.shutdown(local)
        await asyncio.to_thread(change)
        local.operations.resume()
        for module in NOUNS:
            if hasattr(module, "startup"):
                await module.startup(local)


@asynccontextmanager
async def _closed(local: Service) -> AsyncIterator[None]:
    """Answer 503 to every request for the time of a block.

    Raises:
        ArmError: 409 if another block has not ended.
    """
    if not local.ready:
        raise ArmError(409, "ConflictingOperation", "The state is being replaced: wait for /_local/ready.")
    local.ready = False
    try:
        yield
    finally:
        local.ready = True


def _folder(local: Service, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise ArmError(
            400,
            "UserError",
            f"Snapshot name {name!r} is not valid: use letters, digits, - and _, at most 64.",
        )
    return local.settings.home / "snapshots" / name


def _write(local: Service, folder: Path) -> None:
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    local.store.save(new / "state.db")
    local.metrics.save(new / "metrics.db")
    for name in FOLDERS:
        source = local.settings.home / name
        if source.is_dir():
            shutil.copytree(source, new / name, symlinks=True)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def _read(local: Service, folder: Path) -> None:
    local.store.load(folder / "state.db")
    local.metrics.load(folder / "metrics.db")
    for name in FOLDERS:
        shutil.rmtree(local.settings.home / name, ignore_errors=True)
        if (folder / name).is_dir():
            shutil.copytree(folder / name, local.settings.home / name, symlinks=True)
