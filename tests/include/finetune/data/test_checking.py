"""A run's rows are read once, checked, and kept in the workspace; through the local Hub and workspace."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from azure_ml.hook.files import WorkspaceFiles
from include.finetune import recipe
from include.finetune.data import checking, kept
from include.finetune.data.choice import choice_of
from include.finetune.errors import InputError
from tests.support.azureml_service import AzureMLLocal
from tests.support.hub_data import PARTS, Check, RowsOf, conversation, four_splits, put_splits


def test_the_default_data_set_is_read_from_the_hub(check: Check, rows_of: RowsOf) -> None:
    checked = check(recipe.DATASET, split_pc=5)
    assert set(checked["files"]) == {"train", "test", "test_gen"}
    assert checked["rows"]["train_sft"] == len(rows_of(checked, "train")) > 10
    assert len(checked["revision"]) == 40


def test_the_first_rows_are_taken(azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf) -> None:
    repo = put_splits(azureml_local, "tests/first-rows", four_splits(100))
    assert rows_of(check(repo, split_pc=5), "train") == [conversation(number) for number in range(5)]


def test_a_small_percentage_takes_at_least_one_row(azureml_local: AzureMLLocal, check: Check) -> None:
    repo = put_splits(azureml_local, "tests/one-row", four_splits())
    assert check(repo, split_pc=0.1)["rows"] == dict.fromkeys(PARTS, 1)


def test_only_what_training_needs_is_kept(azureml_local: AzureMLLocal, check: Check, rows_of: RowsOf) -> None:
    extra = {"score": 0.5, "tags": {}, "when": "today", "ratio": float("inf")}
    rows = {split: [conversation(1, **extra)] for split in PARTS}
    assert rows_of(check(put_splits(azureml_local, "tests/extra", rows)), "train") == [conversation(1)]


def test_a_split_that_nothing_uses_is_not_read(azureml_local: AzureMLLocal, check: Check) -> None:
    rows = {**four_splits(), "train_gen": ["{this is not JSON"]}
    assert set(check(put_splits(azureml_local, "tests/unused", rows))["rows"]) == set(PARTS)


@pytest.mark.parametrize(
    ("name", "splits", "parts"),
    [
        ("all", ["train", "validation", "test"], {"train": 3, "test": 4, "test_gen": 5}),
        ("two", ["train", "validation"], {"train": 3, "test": 4, "test_gen": 4}),
    ],
)
def test_the_common_names_of_splits_are_known_too(
    azureml_local: AzureMLLocal,
    check: Check,
    rows_of: RowsOf,
    name: str,
    splits: list[str],
    parts: dict[str, int],
) -> None:
    rows = {split: [conversation(0)] * (3 + place) for place, split in enumerate(splits)}
    checked = check(put_splits(azureml_local, f"tests/common-{name}", rows))
    assert {part: len(rows_of(checked, part)) for part in parts} == parts


def test_a_data_set_without_a_split_to_test_with_is_refused(
    azureml_local: AzureMLLocal, check: Check
) -> None:
    repo = put_splits(azureml_local, "tests/train-only", {"train": [conversation(1)]})
    with pytest.raises(InputError, match=r"has the splits train, but none to test with"):
        check(repo)


def test_a_second_run_reads_nothing_and_uploads_nothing_and_says_so(
    azureml_local: AzureMLLocal, check: Check, files: WorkspaceFiles, caplog: pytest.LogCaptureFixture
) -> None:
    repo = put_splits(azureml_local, "tests/twice", four_splits())
    first = check(repo, split_pc=50)
    written = modified(files, repo)
    with caplog.at_level(logging.INFO):
        second = check(repo, split_pc=50)
    assert second == {**first, "bytes_read": 0}
    assert first["bytes_read"] > 0
    assert modified(files, repo) == written
    assert caplog.text.count("nothing is read, nothing uploaded") == len(PARTS)


def modified(files: WorkspaceFiles, repo: str) -> dict[str, Any]:
    """When each file of a data set was written."""
    _, container = files._container()
    return {b.name: b.last_modified for b in container.list_blobs(name_starts_with=f"{kept.FOLDER}/{repo}")}


@pytest.mark.parametrize(
    "other", [{"split_pc": 60}, {"sample": "random rows"}, {"on_bad_row": "drop"}], ids=str
)
def test_another_choice_is_kept_apart(
    azureml_local: AzureMLLocal, check: Check, other: dict[str, Any]
) -> None:
    repo = put_splits(azureml_local, f"tests/apart-{'-'.join(other)}", four_splits())
    first, second = check(repo, split_pc=50), check(repo, **{"split_pc": 50, **other})
    assert first["files"]["train"]["uri"] != second["files"]["train"]["uri"]


def test_the_version_is_that_of_the_content(azureml_local: AzureMLLocal, check: Check) -> None:
    repo = put_splits(azureml_local, "tests/version", four_splits())
    other = put_splits(azureml_local, "tests/version-too", four_splits())
    versions = [check(name, **more)["files"]["train"]["version"] for name, more in (
        (repo, {}), (other, {"on_bad_row": "drop"}), (repo, {"split_pc": 50}))]  # fmt: skip
    assert versions[0] == versions[1] != versions[2]


class CutOffError(Exception):
    """The worker dies."""


class DyingFiles(WorkspaceFiles):
    """A workspace whose writer dies at the write of that number."""

    def __init__(self, files: WorkspaceFiles, last: int) -> None:
        super().__init__(files._clients)
        self.left = last

    def write(self, path: str, content: Any) -> None:
        """Write, or die."""
        self.left -= 1
        if self.left < 0:
            raise CutOffError(path)
        super().write(path, content)


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_a_try_that_was_cut_off_goes_on_where_it_was(
    azureml_local: AzureMLLocal, files: WorkspaceFiles, check: Check, writes: int
) -> None:
    repo = put_splits(azureml_local, f"tests/cut-off-{writes}", four_splits())
    whole = check(put_splits(azureml_local, f"tests/whole-{writes}", four_splits()))
    with pytest.raises(CutOffError):
        checking.check(choice_of({"dataset": repo, "split_pc": 100}), DyingFiles(files, writes))
    again = check(repo)
    assert [again["files"][part]["version"] for part in again["files"]] == [
        whole["files"][part]["version"] for part in whole["files"]
    ]
    assert (again["bytes_read"] < whole["bytes_read"]) == (writes > 1)


def test_a_kept_part_without_its_rows_is_read_again(
    azureml_local: AzureMLLocal, check: Check, files: WorkspaceFiles
) -> None:
    repo = put_splits(azureml_local, "tests/lost", four_splits())
    uri = check(repo)["files"]["train"]["uri"]
    _, container = files._container()
    container.delete_blob(uri.partition("/paths/")[2])
    assert check(repo)["bytes_read"] > 0
