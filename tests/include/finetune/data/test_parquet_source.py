"""What comes over the wire for a part of a split in parquet, and which rows it is."""

from __future__ import annotations

import io
import random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.finetune.data import hub, source
from include.finetune.data.choice import ROW_GROUPS, ROWS, Choice
from include.finetune.data.progress import Progress
from tests.support.azureml_service import AzureMLLocal
from tests.support.hub_data import put

GROUP = 100
TAIL = 64 << 10
"""Bytes that pyarrow asks for at the end of a file before it knows how long the footer is."""


def noisy(number: int) -> dict[str, Any]:
    """A row of some two kilobytes that do not compress."""
    text = random.Random(number).randbytes(900).hex()
    return {
        "prompt": text,
        "messages": [{"role": "user", "content": text}, {"role": "assistant", "content": text}],
    }


@pytest.fixture(scope="module")
def served(azureml_local: AzureMLLocal) -> tuple[hub.Repository, list[dict[str, Any]], dict[str, bytes]]:
    """Three files of 1,037 rows each, in row groups of 100."""
    rows = [noisy(number) for number in range(3 * 1037)]
    files = {}
    for place in range(3):
        sink = io.BytesIO()
        part = rows[place * 1037 : (place + 1) * 1037]
        pq.write_table(pa.Table.from_pylist(part), sink, row_group_size=GROUP)
        files[f"data/train-0000{place}-of-00003.parquet"] = sink.getvalue()
    return hub.open_repository(put(azureml_local, "tests/ranges", files)), rows, files


def read(repository: hub.Repository, tmp_path: Any, choice: Choice) -> tuple[list[Any], int, int]:
    progress = Progress("train")
    opened = source.open_source(repository.splits["train"], tmp_path, progress, "here")
    footers = progress.bytes
    rows = [row for _, row in opened.rows(source.chosen(opened, choice), ["messages"])]
    return rows, footers, progress.bytes


@pytest.mark.parametrize("split_pc", [0.01, 1, 5, 33.3, 34, 100])
def test_the_rows_are_those_of_the_slice_for_its_bytes(served: Any, tmp_path: Any, split_pc: float) -> None:
    repository, rows, files = served
    got, footers, received = read(repository, tmp_path, Choice("a/b", split_pc))
    count = max(1, round(len(rows) * split_pc / 100))
    assert [row["messages"] for row in got] == [row["messages"] for row in rows[:count]]
    whole = sum(map(len, files.values()))
    group = whole * GROUP / len(rows)
    assert footers <= sum(
        TAIL + pq.read_metadata(io.BytesIO(file)).serialized_size for file in files.values()
    )
    assert received - footers <= whole * split_pc / 100 + group * 1.1


def test_a_sample_of_row_groups_costs_no_more(served: Any, tmp_path: Any) -> None:
    repository, rows, files = served
    choice = Choice("a/b", 5, sample=ROW_GROUPS, seed=7)
    got, footers, received = read(repository, tmp_path, choice)
    whole = sum(map(len, files.values()))
    assert received - footers <= whole * 0.05 + whole * GROUP / len(rows) * 1.1
    texts = [row["messages"] for row in rows]
    places = [texts.index(row["messages"]) for row in got]
    assert len(set(places)) == len(got) == round(len(rows) * 0.05)
    assert places[0] % GROUP != 0 or places != list(range(len(got)))
    assert got == read(repository, tmp_path, choice)[0]


def test_single_rows_are_drawn_from_everywhere(served: Any, tmp_path: Any) -> None:
    repository, rows, _ = served
    got, _, _ = read(repository, tmp_path, Choice("a/b", 5, sample=ROWS, seed=7))
    texts = [row["messages"] for row in rows]
    places = [texts.index(row["messages"]) for row in got]
    assert places == sorted(set(places))
    assert min(places) < len(rows) / 10 < len(rows) * 9 / 10 < max(places)


def test_what_is_announced_is_what_comes(served: Any, tmp_path: Any) -> None:
    repository, _, _ = served
    progress = Progress("train")
    opened = source.open_source(repository.splits["train"], tmp_path, progress, "here")
    takes = source.chosen(opened, Choice("a/b", 20))
    before = progress.bytes
    assert list(opened.rows(takes, ["messages"]))
    assert progress.bytes - before == pytest.approx(opened.bytes_of(takes, ["messages"]), rel=0.02)
