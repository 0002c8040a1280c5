"""Reads conversations from the formats that the component documents, and checks every row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .step import StepError

Row = dict[str, Any]
Placed = tuple[str, Row]
"""A row and where it was found: ``train.jsonl, line 3``."""

FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


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
    """Refuse what is no conversation: ``messages`` of text, user and assistant in turn, an answer to learn.

    Raises:
        StepError: naming the place and what is wrong.
    """
    messages = row.get("messages")
    if isinstance(messages, str):  # csv and tsv have no lists
        messages = row["messages"] = _json(place, messages)
    if not isinstance(messages, list) or not messages:
        found = ", ".join(map(repr, row)) or "nothing"
        raise StepError(f"{place}: a row needs a list 'messages' of {{role, content}}; found {found}.")
    for number, message in enumerate(messages, 1):
        if (
            not isinstance(message, dict)
            or not isinstance(message.get("content"), str)
            or "role" not in message
        ):
            raise StepError(
                f"{place}: message {number} needs a 'role' and a text 'content'; got {message!r:.80}."
            )
    roles = [message["role"] for message in messages]
    turns = roles[1:] if roles[0] == "system" else roles
    first = 1 + len(roles) - len(turns)
    for number, role in enumerate(turns):
        expected = ("user", "assistant")[number % 2]
        if role != expected:
            raise StepError(
                f"{place}: message {number + first} has role {role!r} where {expected!r} is due; "
                "roles must alternate, the user first."
            )
    if "assistant" not in turns:
        raise StepError(
            f"{place}: no message of role 'assistant', so there is nothing to learn from this row."
        )


def _json(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise StepError(f"{place}: not valid JSON ({error}): {text[:60]!r}.") from error


def _object(place: str, value: Any) -> Row:
    if not isinstance(value, dict):
        raise StepError(f"{place}: a row must be a JSON object, this is {value!r:.60}.")
    return value


def _json_lines(path: Path) -> Iterator[Placed]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                place = f"{path.name}, line {number}"
                try:
                    text = line.decode()
                except UnicodeDecodeError as error:
                    raise StepError(
                        f"{place}: not valid UTF-8 ({error.reason} at byte {error.start})."
                    ) from error
                yield place, _object(place, _json(place, text))


def _json_array(path: Path) -> Iterator[Placed]:
    content = path.read_text()
    if not content.lstrip().startswith("["):
        yield from _json_lines(path)
        return
    for number, value in enumerate(_json(path.name, content), 1):
        place = f"{path.name}, row {number}"
        yield place, _object(place, value)


def _table(path: Path) -> Iterator[Placed]:
    with path.open(newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        for row in reader:
            yield f"{path.name}, line {reader.line_num}", dict(row)


def _parquet(path: Path) -> Iterator[Placed]:
    import pyarrow.parquet as pq

    for number, row in enumerate(pq.read_table(path).to_pylist(), 1):
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
