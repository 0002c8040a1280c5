"""The rows of each split, kept in the workspace: read from the Hub once, found again by whoever chooses the same."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from include.finetune.data import hub, mapping, source
from include.finetune.data.choice import ROWS, Choice
from include.finetune.data.conversation import short
from include.finetune.data.progress import MB, Progress
from include.finetune.data.writing import Counts, write_rows
from include.finetune.errors import InputError

log = logging.getLogger(__name__)

# In the workspace's default datastore; below it a folder for each choice of rows of a revision.
FOLDER: Final = "finetune-data"
# What is known of the rows beside it.
ABOUT: Final = "about.json"
SHOWN_ROWS: Final = 2
SHOWN_CHARACTERS: Final = 300


class Files(Protocol):
    """Files of the workspace's default datastore, by path; a file is there whole or not at all."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Bytes of each file below a folder."""

    def read(self, path: str) -> bytes:
        """A file's content."""

    def fetch(self, path: str, target: Path) -> None:
        """Download a file."""

    def write(self, path: str, content: bytes | Path) -> None:
        """Write a file from bytes or from a file."""

    def uri(self, path: str) -> str:
        """Its ``azureml://`` address."""


@dataclass(frozen=True)
class Part:
    """The rows of one split, kept in the workspace."""

    # Of the JSON Lines file in the datastore.
    path: str
    # Of the content: first 16 hex digits of its SHA-256.
    version: str
    # Bytes of the file.
    size: int
    # Rows in it.
    rows: int
    # Rows left out, by reason.
    dropped: dict[str, int]
    # Bytes that came from the Hub for it.
    bytes_read: int
    # Its first rows, cut short.
    shown: list[str]


class KeptRows:
    """The parts of one run, each from the workspace or, once, from the Hub."""

    def __init__(self, choice: Choice, repository: hub.Repository, files: Files, folder: Path) -> None:
        self.choice, self.repository, self.files, self.folder = choice, repository, files, folder
        self.bytes_read = 0

    def part(self, split: str, learn: bool) -> Part:
        """The rows of a split; ``learn`` if they are trained on or tested with."""
        key = f"{self.choice.fingerprint(self.repository.revision, split)}{'' if learn else '-asked'}"
        folder = f"{FOLDER}/{self.choice.dataset}/{key}"
        if kept := self._kept(folder):
            log.info(
                "%s: %s rows are in the workspace already, as version %s: nothing is read, nothing uploaded.",
                split,
                f"{kept.rows:,}",
                kept.version,
            )
            return kept
        part = self._read(split, f"{folder}/{split}.jsonl", learn)
        self.files.write(part.path, self.folder / f"{split}.jsonl")
        # Last: whoever finds it finds the rows as well, and a try that was cut off goes on with the next split.
        self.files.write(f"{folder}/{ABOUT}", json.dumps(asdict(part)).encode())
        self.bytes_read += part.bytes_read
        return part

    def local(self, part: Part) -> Path:
        """A part's file on this machine."""
        file = self.folder / Path(part.path).name
        if not file.exists():
            self.files.fetch(part.path, file)
        return file

    def _kept(self, folder: str) -> Part | None:
        sizes = self.files.sizes(f"{folder}/")
        if f"{folder}/{ABOUT}" not in sizes:
            return None
        kept = Part(**json.loads(self.files.read(f"{folder}/{ABOUT}")))
        return kept if sizes.get(kept.path) == kept.size else None

    def _read(self, split: str, path: str, learn: bool) -> Part:
        file = self.folder / f"{split}.jsonl"
        progress = Progress(split)
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            counts = write_split(
                self.repository, split, self.choice, file, progress, Path(scratch), learn=learn
            )
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        return Part(
            path=path,
            version=digest[:16],
            size=file.stat().st_size,
            rows=counts.kept,
            dropped=dict(counts.dropped),
            bytes_read=progress.bytes,
            shown=list(_first_rows(file)),
        )


def write_split(
    repository: hub.Repository,
    split: str,
    choice: Choice,
    file: Path,
    progress: Progress,
    scratch: Path,
    *,
    learn: bool,
) -> Counts:
    """Read the chosen rows of a split and write them as JSON Lines; returns their counts."""
    where = f"The split {split!r} of the data set {repository.id!r}"
    opened = source.open_source(repository.splits[split], scratch, progress, where)
    if not sum(opened.groups):
        raise InputError(f"{where} has no row: choose a data set that has some.")
    mapped = choice.mapping or mapping.detect(opened.shape, where)
    mapping.require_columns(mapped, opened.shape, where)
    if not mapped.plain:
        log.info("%s: rows are mapped by %s%s.", split, mapped, "" if choice.mapping else " (detected)")
    takes = source.chosen(opened, choice)
    rows, more = sum(len(take.rows) for take in takes), opened.bytes_of(takes, mapped.columns)
    progress.expect(rows, more)
    log.info(
        "%s: %s of %s rows (%s) in %d of %d row groups, %.1f MB to read%s.",
        split, f"{rows:,}", f"{sum(opened.groups):,}", choice.sample, len(takes), len(opened.groups), more / MB,
        "; drawing single rows costs nearly the whole split" if choice.sample == ROWS else "",
    )  # fmt: skip
    with closing(_generator(opened.rows(takes, mapped.columns))) as placed:
        counts = write_rows(placed, file, mapped, choice, progress, learn=learn)
    log.info("%s", progress.line())
    return counts


def _generator(rows: Iterator[Any]) -> Any:
    yield from rows


def _first_rows(file: Path) -> Iterator[str]:
    with file.open("rb") as lines:
        for _, line in zip(range(SHOWN_ROWS), lines, strict=False):
            yield short(json.loads(line)["messages"], SHOWN_CHARACTERS)
