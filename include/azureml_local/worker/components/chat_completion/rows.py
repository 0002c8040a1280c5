"""Reads conversations from the formats that the component documents, and checks every row."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .conversation import problem_of
from .step import StepError

Row = dict[str, Any]
# A row and where it was found: ``train.jsonl, line 3``.
Placed = tuple[str, Row]

FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
BOM = b"\xef\xbb\xbf"


def read(path: Path) -> Iterator[Placed]:
    """Rows of a data file or of an MLTable folder, each with its place.

    Raises:
        StepError: if the file is missing, empty, of an unknown format, or a row is no JSON object.
    """
    if not path.exists():
        raise StepError(f"The data file {path} does not exist: check the job's input.")
    if path.is_dir():
        for file in _members(path):
            yield from read(file)
        return
    kind = path.suffix.lower() or ".jsonl"
    if kind not in FORMATS:
        raise StepError(
            f"The data file {path.name} has the format {kind!r}: give one of {', '.join(FORMATS)}."
        )
    yield from _READERS[kind](path)


def conversations(path: Path) -> list[Row]:
    """All rows of a file, checked.

    Raises:
        StepError: naming file and line, for the first row that is no conversation, or if there is none.
    """
    rows = []
    for place, row in read(path):
        check(place, row)
        rows.append(row)
    if not rows:
        raise StepError(f"The data file {path.name} has no row: give at least one conversation.")
    return rows


def check(place: str, row: Row) -> None:
    """Refuse what is no conversation to learn from; raises StepError: naming the place and what is wrong."""
    if isinstance(row.get("messages"), str):  # csv and tsv have no lists
        row["messages"] = _json(place, row["messages"])
    if "messages" not in row:
        columns = ", ".join(map(repr, row)) or "nothing"
        raise StepError(f"{place}: a row needs a list 'messages' of {{role, content}}; found {columns}.")
    if problem := problem_of(row["messages"]):
        raise StepError(f"{place}: {problem.text}.")


def _json(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StepError(f"{place}: not valid JSON ({error}): {text[:60]!r}.") from error


def _object(place: str, value: Any) -> Row:
    if not isinstance(value, dict):
        raise StepError(f"{place}: a row must be a JSON object, this is {value!r:.60}.")
    return value


def _text(place: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise StepError(f"{place}: not valid UTF-8 ({error.reason} at byte {error.start}).") from error


def _json_lines(path: Path) -> Iterator[Placed]:
    with path.open("rb") as lines:  # in bytes, a line ends at \n only
        for number, line in enumerate(lines, 1):
            row = line.removeprefix(BOM) if number == 1 else line
            if row.strip():
                place = f"{path.name}, line {number}"
                yield place, _object(place, _json(place, _text(place, row)))


def _json_array(path: Path) -> Iterator[Placed]:
    content = path.read_bytes().removeprefix(BOM)
    if not content.lstrip().startswith(b"["):
        yield from _json_lines(path)
        return
    for number, value in enumerate(_json(path.name, _text(path.name, content)), 1):
        place = f"{path.name}, row {number}"
        yield place, _object(place, value)


def _table(path: Path) -> Iterator[Placed]:
    csv.field_size_limit(sys.maxsize)  # of 131,072 characters by default; a conversation may be longer
    number = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            for row in reader:
                number = reader.line_num
                yield f"{path.name}, line {number}", {name: row[name] for name in row if name is not None}
    except (csv.Error, UnicodeDecodeError) as error:
        raise StepError(f"{path.name}, after line {number}: no readable table ({error}).") from error


def _parquet(path: Path) -> Iterator[Placed]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        columns = [name for name in pq.read_schema(path).names if name == "messages"]
        rows = pq.read_table(path, columns=columns or None).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise StepError(f"{path.name} is no readable parquet file: {error}") from error
    for number, row in enumerate(rows, 1):
        yield f"{path.name}, row {number}", row


_READERS = {
    ".jsonl": _json_lines,
    ".json": _json_array,
    ".csv": _table,
    ".tsv": _table,
    ".parquet": _parquet,
}


def _members(folder: Path) -> list[Path]:
    """The files that an ``MLTable`` document names, or else the folder's own data files."""
    document = folder / "MLTable"
    files = _named(folder, document) if document.is_file() else _data_files(folder.iterdir(), folder)
    if not files:
        raise StepError(f"The data folder {folder} names no data file: give one of {', '.join(FORMATS)}.")
    return files


def _named(folder: Path, document: Path) -> list[Path]:
    """What the entries ``file``, ``folder`` and ``pattern`` of an ``MLTable`` name, in their order."""
    import yaml

    entries = (yaml.safe_load(document.read_text()) or {}).get("paths") or []
    files: list[Path] = []
    for entry in entries:
        kind, path = (
            next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else ("", str(entry))
        )
        path = str(path).removeprefix("file://").removeprefix("./")
        place = folder / path
        if kind not in ("file", "folder", "pattern") or "://" in path or not place.is_relative_to(folder):
            raise StepError(
                f"{document} has the path {entry}: give a file, folder or pattern beside it, as file: ./a.jsonl."
            )
        if (kind == "file" and not place.is_file()) or (kind == "folder" and not place.is_dir()):
            raise StepError(f"{document} names the {kind} {path}, which does not exist.")
        if kind == "folder":
            files += _data_files(place.rglob("*"), place)
        else:
            files += (
                [place] if kind == "file" else sorted(file for file in folder.glob(path) if file.is_file())
            )
    return list(dict.fromkeys(files))


def _data_files(found: Iterable[Path], folder: Path) -> list[Path]:
    """The data files among the paths below a folder; what begins with a dot is none, at any depth."""
    return sorted(
        path
        for path in found
        if path.suffix.lower() in FORMATS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
