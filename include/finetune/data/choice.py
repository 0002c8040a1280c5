"""Which rows a run takes, and what it does with them: the data fields of the form, checked."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from include.finetune.data.conversation import short
from include.finetune.data.mapping import MessageMapping, parse
from include.finetune.errors import InputError

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_]|[.-](?=[A-Za-z0-9_]))*"
# ``owner/name``, as ``validate_repo_id`` of huggingface_hub has it: no ``..``, no ``--``, no end in a dot or
# dash. Without an owner, ``datasets`` would take it for one of its own loaders, such as ``json`` or ``csv``.
REPO_ID: Final = re.compile(rf"{_NAME}/{_NAME}")
MAX_REPO_ID: Final = 96

FIRST: Final = "first rows"
ROW_GROUPS: Final = "random row groups"
ROWS: Final = "random rows"
SAMPLES: Final = (FIRST, ROW_GROUPS, ROWS)
FAIL: Final = "fail"
DROP: Final = "drop"
# Raised when the same choice would write other files than before.
FORMAT: Final = 1


@dataclass(frozen=True)
class Choice:
    """The rows that a run takes."""

    # Id on the Hub.
    dataset: str
    # Percent of each split, above 0 and up to 100.
    split_pc: float = 5
    # Configuration of the data set; ``None`` for its default one.
    config: str | None = None
    # One of ``SAMPLES``.
    sample: str = FIRST
    # Of a random sample.
    seed: int = 42
    # How a row becomes messages; ``None`` to detect it.
    mapping: MessageMapping | None = field(default=None)
    # ``fail`` at the first, or ``drop`` and count.
    on_bad_row: str = FAIL
    # With ``drop``, the percentage of a split's rows above which it fails after all.
    bad_row_limit_pc: float = 5

    def fingerprint(self, revision: str, split: str) -> str:
        """The same for the same rows of the same revision, treated in the same way: 16 hex digits."""
        parts = {**asdict(self), "revision": revision, "split": split, "format": FORMAT}
        if self.sample == FIRST:
            del parts["seed"]
        if self.on_bad_row == FAIL:
            del parts["bad_row_limit_pc"]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def choice_of(params: Mapping[str, Any]) -> Choice:
    """The choice of a run's form; fields that are missing or empty have their defaults.

    Raises:
        InputError: for a value that cannot be.
    """
    given = {name: value for name, value in params.items() if value is not None}
    chosen = Choice(
        dataset=str(given.get("dataset", "")),
        split_pc=percent("split_pc", given.get("split_pc", 5)),
        config=str(given.get("dataset_config") or "") or None,
        sample=_one_of("sample", given.get("sample", FIRST), SAMPLES),
        seed=_whole("seed", given.get("seed", 42)),
        mapping=parse(given["mapping"]) if given.get("mapping") else None,
        on_bad_row=_one_of("on_bad_row", given.get("on_bad_row", FAIL), (FAIL, DROP)),
        bad_row_limit_pc=percent("bad_row_limit_pc", given.get("bad_row_limit_pc", 5)),
    )
    require_hub_id(chosen.dataset)
    return chosen


def percent(name: str, given: Any) -> float:
    """A percentage, checked; raises InputError: unless it is above 0 and at most 100."""
    try:
        value = float(given)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not 0 < value <= 100:
        raise InputError(f"{name} is {short(given)}: give a percentage above 0 and up to 100, for example 5.")
    return value


def require_hub_id(dataset: str) -> None:
    """Accept nothing but the id of a data set on the Hub: no URL, no path, no loader of another kind.

    Raises:
        InputError: in one sentence that says which of them it is.
    """
    example = "give the id of a data set on the Hub, such as 'HuggingFaceH4/ultrachat_200k'."
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", dataset)
    if scheme:
        raise InputError(
            f"{short(dataset)} is an address of scheme {scheme[1]!r}, not read from here: {example}"
        )
    if dataset.startswith(("/", "~", ".", "\\")) or ".." in dataset.split("/"):
        raise InputError(f"{short(dataset)} is the path of a file or folder, not read from here: {example}")
    if len(dataset) > MAX_REPO_ID or not REPO_ID.fullmatch(dataset):
        raise InputError(f"{short(dataset)} is not of the form owner/name: {example}")
    if Path(dataset).exists():
        # The loader would take the folder, and with it files that were never meant for training.
        raise InputError(f"{dataset!r} is a folder beside this project, too, and would be read: {example}")


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InputError(f"{name} is {short(value)}: choose one of {', '.join(map(repr, allowed))}.")
    return str(value)


def _whole(name: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if isinstance(value, bool) or number < 0 or (number != value and str(number) != str(value)):
        raise InputError(f"{name} is {short(value)}: give a whole number from 0 on.")
    return number
