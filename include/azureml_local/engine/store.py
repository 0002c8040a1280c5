"""Documents on disk: one SQLite table, keyed by kind and key, written before a request is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azureml_local.engine.database import Database

Json = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, created TEXT NOT NULL, modified TEXT NOT NULL,
    sequence INTEGER NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_sequence ON documents (kind, sequence);
"""
# Indexed fields, by kind.
_INDEXED = (("runs", "rootRunId"), ("runs", "parentRunId"), ("operations", "key"), ("operations", "status"))
_COLUMNS = "SELECT key, body, created, modified FROM documents"
_CHUNK = 100


def now() -> str:
    """The current time as ARM writes it: ISO 8601, microseconds, UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Document(dict[str, Any]):
    """A stored body with its times; behaves as the plain dictionary that was put."""

    key: str
    created: str
    modified: str

    @classmethod
    def of(cls, key: str, body: str, created: str, modified: str) -> Document:
        """Build from a row of the table."""
        document = cls(json.loads(body))
        document.key, document.created, document.modified = key, created, modified
        return document


# Named, because Store has a method `list`.
Documents = list[Document]


class Store(Database):
    """The service's only memory.

    A kind is a noun (``"jobs"``); a key is a path below it (``"my-job"``, ``"my-model/3"``).
    Reads give copies: change one and :meth:`put` it back.
    """

    def __init__(self, path: Path) -> None:
        # FULL: what was confirmed to a client must survive SIGKILL and power loss.
        super().__init__(path, _SCHEMA, "FULL")
        for kind, field in _INDEXED:
            self._db.execute(
                f"CREATE INDEX IF NOT EXISTS {kind}_{field} ON documents (json_extract(body, '$.{field}'))"
                f" WHERE kind = '{kind}'"
            )

    def get(self, kind: str, key: str) -> Document | None:
        """The document, or None."""
        with self._lock:
            row = self._db.execute(f"{_COLUMNS} WHERE kind = ? AND key = ?", (kind, key)).fetchone()
        return Document.of(*row) if row else None

    def put(self, kind: str, key: str, body: Json) -> Document:
        """Insert or replace; the time of creation and the place in the order of creation are kept."""
        stamp, text = now(), json.dumps(body)
        with self._lock:
            row = self._db.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?,"
                " (SELECT COALESCE(MAX(sequence), 0) + 1 FROM documents WHERE kind = ?))"
                " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body, modified = excluded.modified"
                " RETURNING created",
                (kind, key, text, stamp, stamp, kind),
            ).fetchone()
        return Document.of(key, text, row[0], stamp)

    def update(self, kind: str, key: str, **changes: Any) -> Document | None:
        """Change top-level fields of a document in one step; None if it is gone."""
        with self._lock:
            document = self.get(kind, key)
            if document is None:
                return None
            document.update(changes)
            return self.put(kind, key, document)

    def delete(self, kind: str, key: str) -> bool:
        """Remove one document; tells whether it was there."""
        with self._lock:
            return (
                self._db.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key)).rowcount > 0
            )

    def list(self, kind: str, prefix: str = "") -> list[Document]:
        """All documents of a kind whose key starts with ``prefix``, oldest first."""
        # The plus keeps SQLite from walking the whole kind in order instead of the keys of the prefix.
        query = f"{_COLUMNS} WHERE kind = ? AND key >= ? AND key < ? ORDER BY +sequence"
        return self._all(query, (kind, prefix, f"{prefix}\U0010ffff"))

    def find(self, kind: str, field: str, value: str) -> Documents:
        """All documents of a kind that have ``value`` in a top-level field, oldest first; by an index.

        Raises:
            KeyError: if there is no index on the field.
        """
        if (kind, field) not in _INDEXED:
            raise KeyError(f"No index on {field!r} of {kind!r}.")
        query = f"{_COLUMNS} WHERE kind = '{kind}' AND json_extract(body, '$.{field}') = ? ORDER BY +sequence"
        return self._all(query, (value,))

    def newest(self, kind: str) -> Iterator[Document]:
        """The documents of a kind, newest first, read chunk by chunk."""
        before: int | float = float("inf")
        while True:
            with self._lock:
                rows = self._db.execute(
                    "SELECT key, body, created, modified, sequence FROM documents"
                    " WHERE kind = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
                    (kind, before, _CHUNK),
                ).fetchall()
            yield from (Document.of(*row[:4]) for row in rows)
            if len(rows) < _CHUNK:
                return
            before = rows[-1][4]

    def _all(self, query: str, values: tuple[str, ...]) -> Documents:
        with self._lock:
            rows = self._db.execute(query, values).fetchall()
        return [Document.of(*row) for row in rows]

    def kinds(self) -> Iterator[str]:
        """The kinds that have documents."""
        with self._lock:
            rows = self._db.execute("SELECT DISTINCT kind FROM documents").fetchall()
        return (row[0] for row in rows)

    def clear(self, *, keep: frozenset[str] = frozenset()) -> None:
        """Forget everything but the kinds in ``keep``."""
        with self._lock:
            for kind in list(self.kinds()):
                if kind not in keep:
                    self._db.execute("DELETE FROM documents WHERE kind = ?", (kind,))

    def close(self) -> None:
        """Close the database file."""
        self._db.close()
