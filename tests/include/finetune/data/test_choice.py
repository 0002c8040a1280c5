"""Percentages and rows, checked without a Hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.finetune import dataset, rows
from include.finetune.errors import InputError

GOOD: dict[str, Any] = {
    "messages": [{"role": "user", "content": "hello?"}, {"role": "assistant", "content": "hi"}]
}


@pytest.mark.parametrize("split_pc", [0, -1, 100.1, "many", None, float("nan")])
def test_a_percentage_outside_0_to_100_is_refused(split_pc: Any) -> None:
    with pytest.raises(InputError, match="give a percentage above 0 and up to 100"):
        dataset.percent(split_pc)


@pytest.mark.parametrize("split_pc", [0.5, 5, "20", 100])
def test_a_percentage_may_be_a_number_or_its_text(split_pc: Any) -> None:
    assert dataset.percent(split_pc) == float(split_pc)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("../x", "is the path of a file or folder"),
        ("/etc", "is the path of a file or folder"),
        ("~/data", "is the path of a file or folder"),
        ("a/../b", "is the path of a file or folder"),
        ("https://evil/x", "is an address of scheme 'https'"),
        ("file:///etc/passwd", "is an address of scheme 'file'"),
        ("hf://datasets/a/b", "is an address of scheme 'hf'"),
        ("json", "is not of the form owner/name"),
        ("a/b@..", "is not of the form owner/name"),
        ("a/b..c", "is not of the form owner/name"),
        ("a/b/c", "is not of the form owner/name"),
        ("a/b;rm", "is not of the form owner/name"),
        ("a b", "is not of the form owner/name"),
        ("", "is not of the form owner/name"),
        ("a/" + "b" * 200, "is not of the form owner/name"),
    ],
)
def test_what_cannot_be_a_hub_id_is_refused_before_the_hub_is_asked(name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as told:
        dataset.load(name, 5)
    assert "give the id of a data set on the Hub" in str(told.value)


def test_a_folder_that_looks_like_a_hub_id_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets" / "of-mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is a folder beside this project"):
        dataset.load("secrets/of-mine", 5)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"text": "x"}, "no column 'messages' but 'text'"),
        ({"messages": []}, "not a list of messages"),
        ({"messages": "hello"}, "not a list of messages"),
        ({"messages": [{"role": "teacher", "content": "x"}]}, "must have a role out of"),
        ({"messages": [{"role": "user", "content": " "}]}, "a text as content"),
        ({"messages": [GOOD["messages"][0], "hi"]}, "message 2"),
    ],
)
def test_a_malformed_row_is_named_by_file_and_line(tmp_path: Path, row: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        rows.write_rows([GOOD, row], tmp_path / "train_sft.jsonl")
    assert str(caught.value).startswith("train_sft.jsonl, line 2: ")


def test_rows_are_written_as_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    assert rows.write_rows([GOOD, {**GOOD, "prompt": "grüße"}], path) == 2
    assert [json.loads(line) for line in path.read_text().splitlines()][1]["prompt"] == "grüße"
