"""Histories of metrics: one SQLite table to which a training run appends and from which anybody reads."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NamedTuple

from azureml_local.engine.database import Database
from azureml_local.routing import part

_SCHEMA = """
CREATE TABLE IF NOT EXISTS metrics (
    run TEXT NOT NULL, key TEXT NOT NULL, step INTEGER NOT NULL, time INTEGER NOT NULL,
    value REAL NOT NULL, kind TEXT NOT NULL,
    UNIQUE (run, key, step, time, value, kind)
);
CREATE INDEX IF NOT EXISTS by_run ON metrics (run, key, step, time);
"""
_SELECT = "SELECT key, value, kind, time, step "
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Point(NamedTuple):
    """One value of a metric."""

    key: str
    # May be infinite or not a number.
    value: float
    # Unix time in milliseconds.
    timestamp: int
    # Step of the training, 0 if there is none.
    step: int


class MetricStore(Database):
    """Metrics of all runs."""

    def __init__(self, path: Path) -> None:
        # NORMAL: a power cut may cost the last points of a training's curve, never the file.
        super().__init__(path, _SCHEMA, "NORMAL")

    def append(self, run: str, points: Iterable[Point]) -> None:
        """Add points to a run; the same point sent twice, as by a retry, is kept once."""
        rows = [(run, p.key, p.step, p.timestamp, *_stored(p.value)) for p in points]
        with self._lock:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR IGNORE INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")

    def history(self, run: str, key: str, limit: int = -1, offset: int = 0) -> list[Point]:
        """The values of one metric in the order of steps; ``limit`` of -1 is all."""
        return self._points(
            "FROM metrics WHERE run = ? AND key = ? ORDER BY step, time LIMIT ? OFFSET ?",
            (run, key, limit, offset),
        )

    def latest(self, run: str) -> list[Point]:
        """The last value of every metric of a run: of the highest step, then the latest time."""
        ranked = "(SELECT *, ROW_NUMBER() OVER (PARTITION BY key ORDER BY step DESC, time DESC) AS place"
        return self._points(f"FROM {ranked} FROM metrics WHERE run = ?) WHERE place = 1 ORDER BY key", (run,))

    def delete(self, run: str) -> None:
        """Forget the metrics of a run."""
        with self._lock:
            self._db.execute("DELETE FROM metrics WHERE run = ?", (run,))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._db.execute("DELETE FROM metrics")

    def _points(self, clause: str, values: tuple[object, ...]) -> list[Point]:
        with self._lock:
            rows = self._db.execute(_SELECT + clause, values).fetchall()
        return [
            Point(key, _SPECIAL[kind] if kind else value, time, step) for key, value, kind, time, step in rows
        ]


MetricsDep = Annotated[MetricStore, part(MetricStore)]


def _stored(value: float) -> tuple[float, str]:
    if math.isnan(value):
        return 0.0, "nan"
    if math.isinf(value):
        return 0.0, "inf" if value > 0 else "-inf"
    return value, ""
