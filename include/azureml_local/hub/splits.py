"""Which files of a folder are splits, and how one file is cut into four."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Splits = dict[str, list[Row]]

# Parts of a single file that are cut off; ``train_sft`` keeps the rest.
SHARES = {"test_sft": 0.1, "train_gen": 0.1, "test_gen": 0.1}
KNOWN = ("train_sft", *SHARES)
COMMON = ("train", "validation", "valid", "val", "dev", "eval", "test")
PACKED = (".gz", ".zst", ".zstd")
SUFFIXES = (".jsonl", ".json", ".parquet")
# Columns that may hold a conversation.
TURNS = ("messages", "conversations", "conversation", "dialogue", "dialog", "chat")
SEED = 42


class BadRowError(ValueError):
    """A file that cannot be served, with the file and the row to mend."""


def kind_of(file: Path) -> str:
    """The suffix that says how the rows are written: ``.jsonl`` of ``chats.jsonl.gz``."""
    return Path(file.stem).suffix if file.suffix in PACKED else file.suffix


def split_of(file: Path) -> str:
    """The split that a file's name tells: a known one at its start, else what is before the first dash."""
    if known := known_split(file):
        return known
    name = file.name.partition(".")[0] if file.suffix in PACKED else file.stem
    return name.partition("-")[0]


def known_split(file: Path) -> str | None:
    """The split of a name that everybody uses, at the start of a file's name."""
    found = [name for name in KNOWN if file.name.startswith(name)]
    found += [name for name in COMMON if re.match(rf"{name}(?![A-Za-z0-9])", file.name)]
    return found[0] if found else None


def data_files(source: Path) -> tuple[list[Path], list[Path]]:
    """The files to serve, and those that are passed over: no split, while others are.

    Whatever begins with a dot is no data, at any depth: Jupyter keeps copies of files there.
    """
    if source.is_file():
        return [source], []
    files = [
        file
        for file in sorted(source.rglob("*"))
        if kind_of(file) in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(source).parts)
    ]
    if len(files) < 2 or not any(map(known_split, files)):
        return files, []
    return [file for file in files if known_split(file)], [file for file in files if not known_split(file)]


def cut(rows: list[Row], name: str) -> Splits:
    """Four disjoint splits of one file's rows, always the same; equal conversations land in the same split.

    Args:
        rows: the file's rows.
        name: its name, for messages.

    Raises:
        BadRowError: if rows lack ``messages``, or are too few to give each split one.
    """
    column = next((name for name in TURNS if any(name in row for row in rows)), TURNS[0])
    for number, row in enumerate(rows, 1):
        if column not in row:
            raise BadRowError(
                f"{name}, line {number}: the field {column!r} is missing: splits cannot be cut without it."
            )
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(json.dumps(row[column], sort_keys=True, default=str), []).append(row)
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
            _prompt_only(row, column) if split.endswith("_gen") else row for group in part for row in group
        ]
    return {"train_sft": [row for group in pool for row in group], **splits}


def _prompt_only(row: Row, column: str) -> Row:
    """The row up to its last user message, so that a model has an answer to give."""
    turns = row[column] if isinstance(row[column], list) else []
    end = max((place for place, turn in enumerate(turns, 1) if _asks(turn)), default=len(turns))
    return {**row, column: turns[:end]} if turns else row


def _asks(turn: Any) -> bool:
    return isinstance(turn, dict) and (turn.get("role") or turn.get("from")) in ("user", "human")
