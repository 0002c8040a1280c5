"""An SQLite file that several threads share: how it is opened, copied away and copied back."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from azureml_local.engine.lifecycle import Part


class Database(Part):
    """Base of what keeps a table on disk; a snapshot holds the file under its own name.

    Args:
        path: the file; its folder is made.
        schema: statements that make what is missing.
        synchronous: SQLite's pragma of that name: what a power cut may cost.
    """

    def __init__(self, path: Path, schema: str, synchronous: Literal["FULL", "NORMAL"]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock, self._name = threading.RLock(), path.name
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={synchronous}")
        self._db.executescript(schema)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all that the block writes in one step, with one wait for the disk; an error undoes it."""
        with self._lock:
            self._db.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def save(self, folder: Path) -> None:
        """Copy everything into another database file, as it is at this moment."""
        with self._lock, closing(sqlite3.connect(folder / self._name)) as target:
            self._db.backup(target)

    def load(self, folder: Path) -> None:
        """Replace everything by what :meth:`save` wrote."""
        with self._lock, closing(sqlite3.connect(folder / self._name)) as source:
            source.backup(self._db)
