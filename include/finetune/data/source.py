"""A split as its files hold it, parquet or JSON: how many rows, of what shape, and chosen rows one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from include.finetune.data import choice as choices
from include.finetune.data import slices
from include.finetune.data.conversation import Problem
from include.finetune.data.json_source import JsonSource, is_json
from include.finetune.data.mapping import Shape
from include.finetune.data.parquet_source import ParquetSource
from include.finetune.data.progress import Progress
from include.finetune.data.remote_file import RemoteFile
from include.finetune.data.slices import Take
from include.finetune.errors import InputError

# A row, or why it is none, and where it stands: ``data/train.jsonl, line 3``.
PlacedRow = tuple[str, Mapping[str, Any] | Problem]


class Source(Protocol):
    """A split's files.

    Attributes:
        groups: rows of each row group that can be read without the others.
        shape: columns, with the fields of their lists' elements.
    """

    groups: list[int]
    shape: Shape

    def bytes_of(self, takes: Sequence[Take], columns: Sequence[str]) -> int:
        """Bytes that :meth:`rows` will ask the Hub for."""

    def rows(self, takes: Sequence[Take], columns: Sequence[str]) -> Iterator[PlacedRow]:
        """The rows, in the order of ``takes``; at most one row group is in memory."""


def open_source(files: Sequence[str], folder: Path, progress: Progress, where: str) -> Source:
    """The files of a split.

    Args:
        files: their ``hf://`` addresses.
        folder: for what can only be read whole.
        progress: counts the bytes that come.
        where: the split's name, for errors.

    Raises:
        InputError: if they are neither parquet nor JSON.
    """
    remote = [RemoteFile(file, progress.received) for file in files]
    if all(file.endswith(".parquet") for file in files):
        return ParquetSource(remote)
    if all(is_json(file) for file in files):
        progress.expect(0, sum(file.size for file in remote))
        return JsonSource(remote, folder)
    raise InputError(
        f"{where} is kept in {remote[0].name}: only parquet, .jsonl and .json (also .gz and .zst) are read here."
    )


def chosen(source: Source, choice: choices.Choice) -> list[Take]:
    """What a run's choice means for a split."""
    groups = source.groups
    count = slices.row_count(sum(groups), choice.split_pc)
    if choice.sample == choices.ROW_GROUPS:
        return slices.random_groups(groups, count, choice.seed)
    if choice.sample == choices.ROWS:
        return slices.random_rows(groups, count, choice.seed)
    return slices.first(groups, count)
