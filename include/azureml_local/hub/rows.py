"""Reads conversations, names the first row that is wrong, and cuts one file into four splits."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Splits = dict[str, list[Row]]

# Parts of a single file that are cut off; `train_sft` keeps the rest.
SHARES = {"test_sft": 0.1, "train_gen": 0.1, "test_gen": 0.1}
KNOWN = ("train_sft", *SHARES)
SUFFIXES = (".jsonl", ".json", ".parquet")
SEED = 42


class BadRowError(ValueError):
    """A file that cannot be served, with the file and the row to mend."""


def read(file: Path) -> list[Row]:
    """The rows of a file.

    Raises:
        BadRowError: naming file and line (row, for parquet) of the first that is no row or no conversation.
    """
    rows = []
    for number, row in _rows(file):
        _check(row, f"{file.name}, line {number}")
        rows.append(row)
    if not rows:
        raise BadRowError(f"{file.name} is empty: give at least one row.")
    return rows


def _rows(file: Path) -> Iterator[tuple[int, Any]]:
    if file.suffix == ".parquet":
        # Half a second of import that a start without data sets must not pay; so for each use of pyarrow.
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            yield from enumerate(pq.read_table(file).to_pylist(), 1)
        except (pa.ArrowException, OSError) as error:
            raise BadRowError(f"{file.name} is no readable parquet file: {error}") from error
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise BadRowError(
                    f"{file.name}, line {number}: no JSON ({error}): mend or remove the line."
                ) from error


def _check(row: Any, where: str) -> None:
    if not isinstance(row, dict):
        raise BadRowError(
            f"{where}: {_short(row)} is no JSON object: a row is an object with the field 'messages'."
        )
    if "messages" not in row:
        return
    messages = row["messages"]
    if not isinstance(messages, list) or not messages:
        raise BadRowError(f"{where}: 'messages' is {_short(messages)}: give a list of at least one message.")
    for place, message in enumerate(messages, 1):
        if not isinstance(message, dict) or not all(
            isinstance(message.get(key), str) for key in ("role", "content")
        ):
            raise BadRowError(
                f"{where}: message {place} is {_short(message)}: give texts 'role' and 'content'."
            )


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def split_of(file: Path) -> str:
    """The split that a file's name tells: a known one at its start, else what is before the first dash."""
    known = [name for name in KNOWN if file.name.startswith(name)]
    return known[0] if known else file.stem.partition("-")[0]


def load(source: Path) -> Splits:
    """The splits of a folder of files named by split, or of one file that is cut.

    Raises:
        BadRowError: if there is no file of a known kind, or a row is wrong.
    """
    files = [source] if source.is_file() else sorted(source.rglob("*"))
    files = [file for file in files if file.suffix in SUFFIXES and file.is_file()]
    if not files:
        raise BadRowError(f"{source} holds no data: give files that end with {', '.join(SUFFIXES)}.")
    if len(files) == 1:
        return cut(read(files[0]), files[0].name)
    splits: Splits = {}
    for file in files:
        splits.setdefault(split_of(file), []).extend(read(file))
    return splits


def cut(rows: list[Row], name: str) -> Splits:
    """Four disjoint splits of one file's rows, always the same; equal conversations land in the same split.

    Args:
        rows: the file's rows.
        name: its name, for messages.

    Raises:
        BadRowError: if rows lack ``messages``, or are too few to give each split one.
    """
    for number, row in enumerate(rows, 1):
        if "messages" not in row:
            raise BadRowError(
                f"{name}, line {number}: the field 'messages' is missing: splits cannot be cut without it."
            )
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(json.dumps(row["messages"], sort_keys=True), []).append(row)
    pool = list(groups.values())
    if len(pool) < len(KNOWN):
        raise BadRowError(
            f"{name} has {len(pool)} distinct conversations: give at least {len(KNOWN)}, one for each split."
        )
    random.Random(SEED).shuffle(pool)  # noqa: S311 - the same splits every time, no secret
    splits: Splits = {}
    total = len(pool)
    for split, share in SHARES.items():
        size = max(1, round(total * share))
        part, pool = pool[:size], pool[size:]
        splits[split] = [
            _prompt_only(row) if split.endswith("_gen") else row for group in part for row in group
        ]
    return {"train_sft": [row for group in pool for row in group], **splits}


def _prompt_only(row: Row) -> Row:
    """The row up to its last user message, so that a model has an answer to give."""
    messages = row["messages"]
    end = max(
        (place for place, message in enumerate(messages, 1) if message["role"] == "user"),
        default=len(messages),
    )
    return {**row, "messages": messages[:end]}


def write(splits: Splits, folder: Path) -> dict[str, int]:
    """Write one parquet file a split, all with the same schema; the rows of each.

    Raises:
        BadRowError: if a field has one type here and another there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    try:
        every = pa.array([row for rows in splits.values() for row in rows])
    except pa.ArrowException as error:
        raise BadRowError(
            f"The rows do not fit one table: {error}: give a field the same type in every row."
        ) from error
    table, start, counts = pa.Table.from_struct_array(every), 0, {}
    for split, rows in splits.items():
        pq.write_table(table.slice(start, len(rows)), folder / f"{split}-00000-of-00001.parquet")
        start, counts[split] = start + len(rows), len(rows)
    return counts
