"""The data: a part of each split of a Hub data set, checked row by row, as JSON Lines."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from include.finetune.errors import HubUnreachableError, InputError
from include.finetune.recipe import SPLITS
from include.finetune.rows import check_row, short, write_rows

if TYPE_CHECKING:
    from datasets import Dataset

log = logging.getLogger(__name__)

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_]|[.-](?=[A-Za-z0-9_]))*"
REPO_ID: Final = re.compile(rf"{_NAME}/{_NAME}")
"""``owner/name``, as ``validate_repo_id`` of huggingface_hub has it: no ``..``, no ``--``, no end in a dot or
dash. Without an owner, ``datasets`` would take it for one of its own loaders, such as ``json`` or ``csv``."""
MAX_REPO_ID: Final = 96
TALKATIVE: Final = ("httpx", "httpx2")
"""Libraries that would log each request with its address, and the Hub's addresses may be signed."""

SHOWN_ROWS: Final = 2
SHOWN_CHARACTERS: Final = 300


def percent(split_pc: float | str) -> float:
    """The percentage, checked.

    Raises:
        InputError: unless it is above 0 and at most 100.
    """
    try:
        value = float(split_pc)
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 < value <= 100:
        raise InputError(f"split_pc is {split_pc!r}: give a percentage above 0 and up to 100, for example 5.")
    return value


def require_hub_id(dataset: str) -> None:
    """Accept nothing but the id of a data set on the Hub: no URL, no path, no loader of another kind.

    Raises:
        InputError: in one sentence that says which of them it is.
    """
    example = "give the id of a data set on the Hub, such as 'HuggingFaceH4/ultrachat_200k'."
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", dataset)
    if scheme:
        raise InputError(f"{dataset!r} is an address of scheme {scheme[1]!r}, not read from here: {example}")
    if dataset.startswith(("/", "~", ".", "\\")) or ".." in dataset.split("/"):
        raise InputError(f"{dataset!r} is the path of a file or folder, not read from here: {example}")
    if len(dataset) > MAX_REPO_ID or not REPO_ID.fullmatch(dataset):
        raise InputError(f"{short(dataset)} is not of the form owner/name: {example}")
    if Path(dataset).exists():
        # The loader would take the folder, and with it files that were never meant for training.
        raise InputError(f"{dataset!r} is a folder beside this project, too, and would be read: {example}")


def load(dataset: str, split_pc: float | str, seed: int | None = None) -> dict[str, Dataset]:
    """The chosen part of every split.

    Args:
        dataset: id on the Hub.
        split_pc: percent of each split, above 0 and up to 100; at least one row is taken.
        seed: draw the rows at random; ``None`` takes the first ones.

    Raises:
        InputError: if the data set does not exist, lacks a split or the column ``messages``, or has a
            malformed row.
        HubUnreachableError: if the Hub does not answer.
    """
    part = percent(split_pc)
    require_hub_id(dataset)
    whole = _load_splits(dataset)
    missing = [split for split in SPLITS if split not in whole]
    if missing:
        raise InputError(
            f"The data set {dataset!r} has the splits {', '.join(whole)} but lacks {', '.join(missing)}: "
            f"choose one with {', '.join(SPLITS)}."
        )
    for split in SPLITS:
        if "messages" not in whole[split].column_names:
            raise InputError(
                f"The split {split!r} of the data set {dataset!r} has no column 'messages' but "
                f"{', '.join(whole[split].column_names)}: choose a data set of conversations."
            )
    return {split: _part(whole[split], part, seed) for split in SPLITS}


def check(dataset: str, split_pc: float | str, seed: int | None = None) -> dict[str, Any]:
    """Check every row that a run would use; writes and creates nothing.

    Returns:
        ``{"dataset": str, "split_pc": float, "rows": {split: count}}``

    Raises:
        InputError, HubUnreachableError: as :func:`load`, and for a malformed row.
    """
    parts = load(dataset, split_pc, seed)
    for split, rows in parts.items():
        for line, row in enumerate(rows, 1):
            check_row(row, f"{split}.jsonl", line)
    _show(parts["train_sft"])
    return _summary(dataset, split_pc, {split: len(rows) for split, rows in parts.items()})


def prepare(
    folder: Path, dataset: str, split_pc: float | str, seed: int | None = None
) -> tuple[dict[str, Path], dict[str, Any]]:
    """Write the chosen part of every split as ``<split>.jsonl``.

    Args:
        folder: where to.
        dataset: id on the Hub.
        split_pc: percent of each split.
        seed: as :func:`load`.

    Returns:
        The files, keyed ``train``, ``test``, ``train_gen`` and ``test_gen``, and the summary of
        :func:`check`.

    Raises:
        InputError, HubUnreachableError: as :func:`check`.
    """
    files: dict[str, Path] = {}
    counts: dict[str, int] = {}
    for split, rows in load(dataset, split_pc, seed).items():
        path = folder / f"{split}.jsonl"
        counts[split] = write_rows(rows, path)
        files[split.removesuffix("_sft")] = path
    return files, _summary(dataset, split_pc, counts)


def _load_splits(dataset: str) -> dict[str, Dataset]:
    import datasets
    from datasets.exceptions import DataFilesNotFoundError, DatasetGenerationError, DatasetNotFoundError

    datasets.disable_progress_bars()
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        return dict(datasets.load_dataset(dataset))
    except (DatasetNotFoundError, DataFilesNotFoundError) as error:
        raise InputError(
            f"The Hub has no data set {dataset!r} with data in it: check its id, and that you may read it."
        ) from error
    except DatasetGenerationError as error:
        for problem in _malformed_rows(dataset):
            raise problem from error
        raise InputError(f"The data set {dataset!r} cannot be read: {_root(error)}") from error
    except Exception as error:
        if not _is_of_the_network(error):
            raise
        raise HubUnreachableError(
            f"The Hub does not answer for the data set {dataset!r}: {_root(error)}"
        ) from error


def _is_of_the_network(error: BaseException) -> bool:
    """Whether a request went wrong; by name, as the Hub's client has changed its HTTP library before."""
    ancestors = {kind.__name__ for kind in type(error).__mro__}
    return bool(ancestors & {"OSError", "TransportError", "HTTPError"})


def _malformed_rows(dataset: str) -> Iterator[InputError]:
    """The malformed rows of a data set's JSON Lines files; only read when loading has failed."""
    from huggingface_hub import HfApi, hf_hub_download

    for name in HfApi().list_repo_files(dataset, repo_type="dataset"):
        if not name.endswith((".jsonl", ".json")):
            continue
        path = Path(hf_hub_download(dataset, name, repo_type="dataset"))
        for line, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            try:
                row = json.loads(text)
                check_row(row if isinstance(row, dict) else {}, name, line)
            except InputError as error:
                yield error
            except ValueError as error:
                yield InputError(
                    f"{name}, line {line}: this is not JSON ({error}): correct or remove the row."
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


def _show(rows: Dataset) -> None:
    for number in range(min(SHOWN_ROWS, len(rows))):
        log.info("Row %d: %s", number + 1, short(rows[number]["messages"], SHOWN_CHARACTERS))


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:300]
