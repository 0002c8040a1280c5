"""Bad values for `make run` get one clear sentence; good ones become the run's conf."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from include.finetune.data.choice import require_hub_id
from include.launcher import faults, request
from include.launcher.errors import BadInputError
from include.launcher.request import Dataset, Request
from tests.support.azureml_service import ROOT


@pytest.mark.parametrize("text", ["0", "-1", "100.1", "nan", "inf", "five", ""])
def test_a_percentage_outside_of_0_to_100_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match=rf"SPLIT_PC='{text}' is no percentage"):
        request.split_pc(text)


@pytest.mark.parametrize(("text", "value"), [("5", 5.0), ("0.5", 0.5), ("100", 100.0)])
def test_a_percentage_may_be_any_number_up_to_100(text: str, value: float) -> None:
    assert request.split_pc(text) == value


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", ""])
def test_epochs_are_whole_numbers_from_1(text: str) -> None:
    with pytest.raises(BadInputError, match=rf"EPOCHS='{text}'"):
        request.epochs(text)


@pytest.mark.parametrize("text", ["Phi 3", "-x", "a;b", "../x"])
def test_a_name_that_no_model_has_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="is no model name"):
        request.model(text)


def test_a_folder_is_served_under_its_own_name(tmp_path: Path) -> None:
    folder = tmp_path / "my chats"
    folder.mkdir()
    (folder / "train_sft.jsonl").write_text("{}\n")
    assert request.dataset(str(folder)) == Dataset("local/my-chats", folder)


@pytest.mark.parametrize(
    ("name", "repo_id"),
    [
        ("donn\u00e9es", "local/donnees"),
        ("my--chats", "local/my-chats"),
        ("..chats..v2..", "local/chats-v2"),
        ("\u6570\u636e", "local/dataset"),
        ("-x_", "local/x"),
        ("a" * 200, "local/" + "a" * 80),
    ],
)
def test_the_id_of_a_folder_is_one_that_the_hub_takes(tmp_path: Path, name: str, repo_id: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "train.jsonl.gz").write_bytes(b"")
    chosen = request.dataset(str(tmp_path / name))
    assert chosen.repo_id == repo_id
    require_hub_id(chosen.repo_id)


def test_what_begins_with_a_dot_is_no_data(tmp_path: Path) -> None:
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / "train.jsonl").write_text("{}\n")
    with pytest.raises(BadInputError, match=r"holds no \.jsonl or \.parquet file"):
        request.dataset(str(tmp_path))


def test_a_single_file_is_served_too(tmp_path: Path) -> None:
    file = tmp_path / "talk.jsonl"
    file.write_text("{}\n")
    assert request.dataset(str(file)) == Dataset("local/talk", file)


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"holds no \.jsonl or \.parquet file"):
        request.dataset(str(tmp_path))


@pytest.mark.parametrize("text", ["./missing", "/missing/folder", "missing.jsonl", "a/b/c", "a b"])
def test_what_is_neither_folder_nor_hub_id_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="no folder here and no Hub id"):
        request.dataset(text)


def test_a_hub_id_is_left_to_the_hub() -> None:
    assert request.dataset("HuggingFaceH4/ultrachat_200k") == Dataset("HuggingFaceH4/ultrachat_200k")


def test_what_is_not_asked_for_is_left_to_the_dag() -> None:
    assert Request().conf() == {}
    options = Request(Dataset("a/b"), 5.0, "Phi-3-mini-4k-instruct", 2)
    assert options.conf() == {
        "dataset": "a/b",
        "split_pc": 5.0,
        "model_name": "Phi-3-mini-4k-instruct",
        "num_train_epochs": 2,
    }


def test_a_task_that_cannot_fail_is_refused_with_those_that_can() -> None:
    with pytest.raises(BadInputError, match=r"FAIL='deplyo' is no task .* deploy, "):
        faults.plan("deplyo")


def test_a_plan_may_bring_params_of_its_own() -> None:
    conf = Request(fault=faults.plan("prepare_compute")).conf()
    assert conf["compute_cluster"].startswith("gpu-refused-")
    assert "{" not in conf["compute_cluster"]


def test_the_command_line_prints_the_sentence_and_nothing_is_started(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "include.launcher", "run", "--split-pc", "150"],
        cwd=ROOT,
        env={"FINETUNE_LOCAL": str(tmp_path / "stack"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert (
        done.stderr
        == "SPLIT_PC='150' is no percentage: give a number above 0 and up to 100, for example 5.\n"
    )
    assert not (tmp_path / "stack").exists()
