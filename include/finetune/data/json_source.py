"""A split in JSON files, one object a line or one array: read whole, as nothing tells where its rows are."""

from __future__ import annotations

import codecs
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from include.finetune.data.conversation import Problem, short
from include.finetune.data.mapping import Shape
from include.finetune.data.remote_file import RemoteFile
from include.finetune.data.slices import Take
from include.finetune.errors import InputError

SUFFIXES: Final = tuple(
    kind + packed for kind in (".jsonl", ".json", ".ndjson") for packed in ("", ".gz", ".zst", ".zstd")
)
# Bytes of one request, and of what is decoded at a time.
PIECE: Final = 8 << 20
BOM: Final = b"\xef\xbb\xbf"
BETWEEN: Final = " \t\r\n,"
# Rows whose fields are looked at to learn the shape of a file.
SHAPED_BY: Final = 20

Placed = tuple[str, Mapping[str, Any] | Problem]


def is_json(name: str) -> bool:
    """Whether a file of that name is read here."""
    return name.lower().endswith(SUFFIXES)


class JsonSource:
    """Files of JSON rows, each fetched once into a folder; a file counts as one row group."""

    def __init__(self, files: Sequence[RemoteFile], folder: Path) -> None:
        self._names = [file.name for file in files]
        self._paths = [folder / f"{place}-{Path(file.name).name}" for place, file in enumerate(files)]
        for file, path in zip(files, self._paths, strict=True):
            with path.open("wb") as target:
                while piece := file.read(PIECE):
                    target.write(piece)
        self.groups = [sum(1 for _ in raw_rows(path, name)) for path, name in self._named()]
        self.shape: Shape = self._shape()

    def _named(self) -> Iterator[tuple[Path, str]]:
        return zip(self._paths, self._names, strict=True)

    def bytes_of(self, takes: Sequence[Take], columns: Sequence[str]) -> int:
        """None: the files have come already."""
        return 0

    def rows(self, takes: Sequence[Take], columns: Sequence[str]) -> Iterator[Placed]:
        """The chosen rows; a place is a file and a line, from 1."""
        for take in takes:
            path, name = self._paths[take.group], self._names[take.group]
            raw = enumerate(raw_rows(path, name))
            for number in take.rows:
                line, text = next(row for place, row in raw if place == number)
                yield f"{name}, line {line}", parse_row(text)

    def _shape(self) -> Shape:
        """Of the first rows that are some; a row that is none has its error when it is read."""
        shape: dict[str, frozenset[str]] = {}
        every = (text for path, name in self._named() for _, text in raw_rows(path, name))
        for row in map(parse_row, islice(every, SHAPED_BY)):
            if not isinstance(row, Problem):
                for column, value in row.items():
                    shape[column] = shape.get(column, frozenset()) | _inner(value)
        return shape


def raw_rows(path: Path, name: str) -> Iterator[tuple[int, bytes]]:
    r"""The text of each row, with its line; a line ends at ``\\n`` and nowhere else, blank ones are no rows.

    Raises:
        InputError: if the file cannot be unpacked, or an array breaks off.
    """
    with _unpacked(path) as file:
        try:
            start = file.read(64 << 10).removeprefix(BOM).lstrip()
        except (OSError, EOFError) as error:
            raise InputError(f"{name} cannot be unpacked: {error}") from error
    with _unpacked(path) as file:
        rows = _array(file, name) if start.startswith(b"[") else _lines(file)
        try:
            yield from rows
        except (OSError, EOFError) as error:
            raise InputError(f"{name} cannot be unpacked: {error}") from error


def parse_row(text: bytes) -> Mapping[str, Any] | Problem:
    """A row's object, or why it is none."""
    try:
        row = json.loads(text.decode())
    except (ValueError, RecursionError) as error:  # a UnicodeDecodeError is a ValueError
        return Problem("no JSON", f"this is not JSON ({error})")
    return row if isinstance(row, dict) else Problem("no object", f"{short(row)} is no JSON object")


def _unpacked(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if path.suffix in (".zst", ".zstd"):
        import pyarrow as pa

        return pa.input_stream(str(path), compression="zstd")  # type: ignore[no-any-return]
    return path.open("rb")


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    left, line = b"", 0
    while piece := file.read(PIECE):
        *whole, left = (left + piece).split(b"\n")
        for text in whole:
            line += 1
            if stripped := _row_text(text, line):
                yield line, stripped
    if stripped := _row_text(left, line + 1):
        yield line + 1, stripped


def _row_text(text: bytes, line: int) -> bytes:
    return (text.removeprefix(BOM) if line == 1 else text).strip(b" \t\r")


def _array(file: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    """The elements of an array, decoded piece by piece."""
    decoder, utf8 = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8-sig")()
    text, at, line, begun = "", 0, 1, False
    while True:
        start = _skip(text, at, BETWEEN if begun else BETWEEN + "[")
        line, at, begun = line + text.count("\n", at, start), start, begun or start > at
        if text[at : at + 1] == "]":
            return
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            piece = file.read(PIECE)
            if not piece:
                raise InputError(
                    f"{name}, line {line}: this is not JSON ({error}): correct the row."
                ) from error
            text, at = text[at:] + _decoded(utf8, piece, name, line), 0
            continue
        yield line, text[at:end].encode(errors="surrogatepass")
        line, at = line + text.count("\n", at, end), end


def _skip(text: str, at: int, characters: str) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _decoded(utf8: codecs.IncrementalDecoder, piece: bytes, name: str, line: int) -> str:
    try:
        return utf8.decode(piece)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}, after line {line}: not valid UTF-8 ({error}): correct the file."
        ) from error


def _inner(value: Any) -> frozenset[str]:
    first = value[0] if isinstance(value, list) and value else None
    return frozenset(map(str, first)) if isinstance(first, dict) else frozenset()
