"""A part of each split of a Hub data set, checked row by row and written as JSON Lines."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from azure_ml.masking import masked
from include.finetune import hub
from include.finetune.errors import InputError
from include.finetune.recipe import SPLITS
from include.finetune.rows import check_row, short, write_rows

if TYPE_CHECKING:
    from datasets import Dataset

log = logging.getLogger(__name__)

# The rule of huggingface_hub's validate_repo_id: no "..", no "--", no dot or dash at the end. The owner is required:
# "datasets" would take a bare name for one of its own loaders, such as "json" or "csv".
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_]|[.-](?=[A-Za-z0-9_]))*"
REPO_ID: Final = re.compile(rf"{_NAME}/{_NAME}")
MAX_REPO_ID: Final = 96

LOGGED_ROWS: Final = 2
LOGGED_CHARACTERS: Final = 300


def percent(split_pc: float | str) -> float:
    """The percentage as a number; raises ``InputError`` unless it is above 0 and at most 100."""
    try:
        value = float(split_pc)
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 < value <= 100:
        raise InputError(f"split_pc is {split_pc!r}: give a percentage above 0 and up to 100, for example 5.")
    return value


def require_hub_id(dataset: str) -> None:
    """Raise ``InputError`` for anything but the id of a Hub data set: a URL, a path, the name of a loader."""
    example = "give the id of a data set on the Hub, such as 'HuggingFaceH4/ultrachat_200k'."
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", dataset)
    if scheme:
        raise InputError(f"{dataset!r} is an address of scheme {scheme[1]!r}, not read from here: {example}")
    if dataset.startswith(("/", "~", ".", "\\")) or ".." in dataset.split("/"):
        raise InputError(f"{dataset!r} is the path of a file or folder, not read from here: {example}")
    if len(dataset) > MAX_REPO_ID or not REPO_ID.fullmatch(dataset):
        raise InputError(f"{short(dataset)} is not of the form owner/name: {example}")
    if Path(dataset).exists():
        # The loader would read the folder, and so files that were never meant for training.
        raise InputError(f"{dataset!r} is a folder beside this project, too, and would be read: {example}")


def load(dataset: str, split_pc: float | str, seed: int | None = None) -> dict[str, Dataset]:
    """Read a percentage of every split, at least one row of each.

    Args:
        dataset: Id on the Hub.
        split_pc: Percentage, above 0 and up to 100.
        seed: Draws the rows at random; ``None`` takes the first ones.

    Raises:
        InputError: If the data set does not exist, or lacks a split or the column ``messages``.
        HubUnreachableError: If the Hub does not answer.
    """
    part = percent(split_pc)
    require_hub_id(dataset)
    splits = hub.load_splits(dataset)
    _require_conversations(dataset, splits)
    return {split: _part(splits[split], part, seed) for split in SPLITS}


def check(dataset: str, split_pc: float | str, seed: int | None = None) -> dict[str, Any]:
    """Check every row that a run would use, and write nothing; raises as :func:`prepare` does.

    Returns:
        ``{"dataset": str, "split_pc": float, "rows": {split: count}}``
    """
    parts = load(dataset, split_pc, seed)
    for split, rows in parts.items():
        for line, row in enumerate(rows, 1):
            check_row(row, f"{split}.jsonl", line)
    _log_first_rows(parts["train_sft"])
    return _summary(dataset, split_pc, {split: len(rows) for split, rows in parts.items()})


def prepare(
    folder: Path, dataset: str, split_pc: float | str, seed: int | None = None
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Write what :func:`load` reads as ``<split>.jsonl`` into a folder.

    Returns:
        The files, keyed ``train``, ``test``, ``train_gen`` and ``test_gen``, and the summary of
        :func:`check`.

    Raises:
        InputError: As :func:`load`, and for a malformed row.
    """
    files: dict[str, Path] = {}
    counts: dict[str, int] = {}
    for split, rows in load(dataset, split_pc, seed).items():
        path = folder / f"{split}.jsonl"
        counts[split] = write_rows(rows, path)
        # The component calls the two splits that it tunes on "train" and "test".
        files[split.removesuffix("_sft")] = path
    return files, _summary(dataset, split_pc, counts)


def _require_conversations(dataset: str, splits: Mapping[str, Dataset]) -> None:
    if missing := [split for split in SPLITS if split not in splits]:
        raise InputError(
            f"The data set {dataset!r} has the splits {', '.join(splits)} but lacks {', '.join(missing)}: "
            f"choose one with {', '.join(SPLITS)}."
        )
    for split in SPLITS:
        if "messages" not in splits[split].column_names:
            raise InputError(
                f"The split {split!r} of the data set {dataset!r} has no column 'messages' but "
                f"{', '.join(splits[split].column_names)}: choose a data set of conversations."
            )


def _part(rows: Dataset, part: float, seed: int | None) -> Dataset:
    count = max(1, round(len(rows) * part / 100)) if len(rows) else 0
    chosen = rows if seed is None else rows.shuffle(seed=seed)
    return chosen.select(range(count))


def _summary(dataset: str, split_pc: float | str, rows: dict[str, int]) -> dict[str, Any]:
    log.info(
        "%s %% of %s: %s",
        split_pc,
        dataset,
        ", ".join(f"{split} {count} rows" for split, count in rows.items()),
    )
    return {"dataset": dataset, "split_pc": float(split_pc), "rows": rows}


def _log_first_rows(rows: Dataset) -> None:
    for number in range(min(LOGGED_ROWS, len(rows))):
        log.info("Row %d: %s", number + 1, masked(short(rows[number]["messages"], LOGGED_CHARACTERS)))
