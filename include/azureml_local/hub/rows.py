"""Reads rows, names the first that is wrong, and writes them as the Hub would hold them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from azureml_local.hub.splits import SUFFIXES, BadRowError, Row, Splits, cut, data_files, kind_of, split_of

BOM = b"\xef\xbb\xbf"


def load(source: Path) -> Splits:
    """The splits of a folder of files named by split, or of one file that is cut.

    Raises:
        BadRowError: if there is no file of a known kind, or a row is wrong.
    """
    files, _ = data_files(source)
    if not files:
        raise BadRowError(f"{source} holds no data: give files that end with {', '.join(SUFFIXES)}.")
    if len(files) == 1:
        return cut(read(files[0]), files[0].name)
    splits: Splits = {}
    for file in files:
        splits.setdefault(split_of(file), []).extend(read(file))
    return splits


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


def _rows(file: Path) -> Iterable[tuple[int, Any]]:
    if kind_of(file) == ".parquet":
        return _parquet(file)
    try:
        with _unpacked(file) as content:
            is_array = content.read(1 << 16).removeprefix(BOM).lstrip().startswith(b"[")
        return _array(file) if is_array and kind_of(file) == ".json" else list(_lines(file))
    except (OSError, EOFError) as error:
        raise BadRowError(f"{file.name} cannot be unpacked: {error}") from error


def _parquet(file: Path) -> Iterator[tuple[int, Any]]:
    # Half a second of import that a start without data sets must not pay; so for each use of pyarrow.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        yield from enumerate(pq.read_table(file).to_pylist(), 1)
    except (pa.ArrowException, OSError) as error:
        raise BadRowError(f"{file.name} is no readable parquet file: {error}") from error


def _unpacked(file: Path) -> BinaryIO:
    if file.suffix == ".gz":
        return gzip.open(file, "rb")  # type: ignore[return-value]
    if file.suffix in (".zst", ".zstd"):
        import pyarrow as pa

        return pa.input_stream(str(file), compression="zstd")  # type: ignore[no-any-return]
    return file.open("rb")


def _lines(file: Path) -> Iterator[tuple[int, Any]]:
    with _unpacked(file) as content:
        lines = content.read().removeprefix(BOM).split(b"\n")
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _parsed(line, f"{file.name}, line {number}", "line")


def _array(file: Path) -> Iterable[tuple[int, Any]]:
    with _unpacked(file) as content:
        rows = _parsed(content.read().removeprefix(BOM), file.name, "file")
    return enumerate(rows, 1)


def _parsed(text: bytes, where: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRowError(f"{where}: no JSON ({error}): mend or remove the {what}.") from error


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
        fields = set(message) if isinstance(message, dict) else set()
        if not fields >= {"role", "content"} and not fields >= {"from", "value"}:
            raise BadRowError(
                f"{where}: message {place} is {_short(message)}: give 'role' and 'content', or 'from' and 'value'."
            )


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def write(splits: Splits, folder: Path) -> dict[str, int]:
    """Write one file a split; the rows of each.

    Parquet, all with the same schema; JSON Lines where rows do not fit into one table: a field of two types, an
    object without fields, a number too large.

    Raises:
        BadRowError: if a row fits into neither.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not _write_parquet(splits, folder):
        for split, rows in splits.items():
            lines = (_line(split, number, row) for number, row in enumerate(rows, 1))
            (folder / f"{split}-00000-of-00001.jsonl").write_text("".join(lines))
    return {split: len(rows) for split, rows in splits.items()}


def _write_parquet(splits: Splits, folder: Path) -> bool:
    """Whether all rows fit into one table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    start = 0
    try:
        every = pa.array([row for rows in splits.values() for row in rows])
        table = pa.Table.from_struct_array(every)
        for split, rows in splits.items():
            pq.write_table(table.slice(start, len(rows)), folder / f"{split}-00000-of-00001.parquet")
            start += len(rows)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        for file in folder.glob("*.parquet"):
            file.unlink()
        return False
    return True


def _line(split: str, number: int, row: Row) -> str:
    try:
        return json.dumps(row, default=str, allow_nan=False) + "\n"
    except ValueError as error:
        raise BadRowError(
            f"row {number} of {split}: {error}: give numbers that JSON can hold, or remove the field."
        ) from error
