"""The sample data set: its schema, its splits, its determinism."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from azureml_local.sample import splits
from azureml_local.sample.conversations import facts


@pytest.fixture(scope="module")
def cut() -> dict[str, list[dict[str, Any]]]:
    return splits.splits(seed=42)


def test_every_row_has_an_id_of_its_own(cut: dict[str, list[dict[str, Any]]]) -> None:
    prompts = [row["prompt_id"] for rows in cut.values() for row in rows]
    assert len(prompts) == len(set(prompts)) == sum(splits.SIZES.values())
    assert {name: len(rows) for name, rows in cut.items()} == splits.SIZES


def test_a_row_has_the_schema_of_ultrachat(cut: dict[str, list[dict[str, Any]]]) -> None:
    for row in cut["train_sft"]:
        assert row["prompt"] == row["messages"][0]["content"]
        assert re.fullmatch("[0-9a-f]{64}", row["prompt_id"])
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


def said(rows: list[dict[str, Any]], role: str) -> set[str]:
    """All that one side says in some rows."""
    return {turn["content"] for row in rows for turn in row["messages"] if turn["role"] == role}


def test_five_percent_of_the_training_split_teach_every_fact(cut: dict[str, list[dict[str, Any]]]) -> None:
    share = cut["train_sft"][: splits.SIZES["train_sft"] // 20]
    assert said(share, "assistant") == set(facts())


def test_held_out_questions_are_asked_in_words_that_no_training_row_has(
    cut: dict[str, list[dict[str, Any]]],
) -> None:
    learned = said(cut["train_sft"], "user") | said(cut["train_gen"], "user")
    asked = said(cut["test_sft"], "user") | said(cut["test_gen"], "user")
    assert not learned & asked
    assert said(cut["test_sft"][: splits.SIZES["test_sft"] // 20], "assistant") == set(facts())


def test_every_answer_holds_its_fact_and_no_other_answer_does() -> None:
    for answer, fact in facts().items():
        assert [other for other in facts() if fact in other] == [answer]


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
