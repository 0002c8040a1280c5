"""The sample data set: its schema, its splits, its determinism."""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from azureml_local.sample import splits


@pytest.fixture(scope="module")
def cut() -> dict[str, list[dict[str, Any]]]:
    return splits.splits(seed=42)


def test_the_four_splits_are_disjoint(cut: dict[str, list[dict[str, Any]]]) -> None:
    prompts = [row["prompt_id"] for rows in cut.values() for row in rows]
    assert len(prompts) == len(set(prompts)) == 2000
    assert {name: len(rows) for name, rows in cut.items()} == splits.SIZES


def test_a_row_has_the_schema_of_ultrachat(cut: dict[str, list[dict[str, Any]]]) -> None:
    for row in cut["train_sft"]:
        assert row["prompt"] == row["messages"][0]["content"]
        assert row["prompt_id"] == hashlib.sha256(row["prompt"].encode()).hexdigest()
        assert 2 <= len(row["messages"]) <= 6


@pytest.mark.parametrize("name", list(splits.SIZES))
def test_roles_alternate_and_generation_splits_end_with_the_user(
    cut: dict[str, list[dict[str, Any]]], name: str
) -> None:
    for row in cut[name]:
        roles = [message["role"] for message in row["messages"]]
        assert roles[0] == "user"
        assert all(one != two for one, two in pairwise(roles))
        assert roles[-1] == ("user" if name.endswith("_gen") else "assistant")


def test_every_sum_is_right_also_when_it_goes_on_from_the_last_result(
    cut: dict[str, list[dict[str, Any]]],
) -> None:
    checked = 0
    for row in cut["train_sft"]:
        result = 0
        texts = [message["content"] for message in row["messages"]]
        for question, answer in zip(texts[::2], texts[1::2], strict=True):
            if asked := re.search(r"(\d+ )?(plus|minus) (\d+)[?.]$", question):
                start = int(asked[1]) if asked[1] else result
                result = start + int(asked[3]) if asked[2] == "plus" else start - int(asked[3])
                assert answer == f"That makes {result}.", question
                checked += 1
    assert checked > 300


def test_the_same_seed_writes_the_same_files_named_like_the_hubs(tmp_path: Path) -> None:
    first, second = splits.write(tmp_path / "a", seed=1), splits.write(tmp_path / "b", seed=1)
    for name, path in first.items():
        assert re.fullmatch(rf"{name}-00000-of-00001-[0-9a-f]{{16}}\.parquet", path.name)
        assert path.name == second[name].name
        assert path.read_bytes() == second[name].read_bytes()
        assert pq.read_table(path).schema.names == ["prompt", "prompt_id", "messages"]


def test_writing_again_replaces_the_files_of_another_seed(tmp_path: Path) -> None:
    splits.write(tmp_path, seed=1)
    splits.write(tmp_path, seed=2)
    assert len(list((tmp_path / "data").iterdir())) == 4
