"""The data step against the local Hub, through the production code of ``datasets``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from azure_ml.errors import DiskFull
from include.finetune import dataset, hub, recipe
from include.finetune.errors import HubUnreachableError, InputError
from tests.support.azureml_service import AzureMLLocal
from tests.support.limits import no_file_above


def conversation(number: int) -> dict[str, Any]:
    return {
        "prompt": f"question {number}",
        "messages": [
            {"role": "user", "content": f"question {number}"},
            {"role": "assistant", "content": f"answer {number}"},
        ],
    }


def serve(service: AzureMLLocal, folder: Path, repo_id: str, rows: dict[str, list[Any]]) -> str:
    """Let the local Hub serve splits of rows."""
    for split, content in rows.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content))
    service.post("/_local/hub/datasets", {"repo_id": repo_id, "folder": str(folder)})
    return repo_id


def serve_spoilt(service: AzureMLLocal, folder: Path, repo_id: str, split: str, line: int, text: str) -> str:
    """The same as JSON Lines with one line spoilt; in the Hub's folder, for it takes no bad row itself."""
    serve(service, folder, repo_id, four_splits())
    for name, rows in four_splits().items():
        (served,) = (service.home / "hub" / repo_id.replace("/", "--")).glob(f"*/data/{name}-*")
        lines = [json.dumps(row) for row in rows]
        if name == split:
            lines[line - 1] = text
        served.unlink()
        served.with_suffix(".jsonl").write_text("\n".join(lines) + "\n")
    return repo_id


def four_splits(count: int = 10) -> dict[str, list[Any]]:
    return {split: [conversation(number) for number in range(count)] for split in recipe.SPLITS}


def test_the_default_data_set_is_read_from_the_hub(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    files, summary = dataset.prepare(tmp_path, recipe.DATASET, 5)
    assert set(files) == {"train", "test", "train_gen", "test_gen"}
    assert summary["rows"]["train_sft"] == len(files["train"].read_text().splitlines()) > 10
    assert dataset.check(recipe.DATASET, 5) == summary


def test_the_first_rows_are_taken_and_with_a_seed_others(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    repo = serve(azureml_local, tmp_path, "tests/first-rows", four_splits(100))
    first = dataset.load(repo, 5)["train_sft"]
    assert [row["prompt"] for row in first] == [f"question {number}" for number in range(5)]
    drawn = [row["prompt"] for row in dataset.load(repo, 5, seed=1)["train_sft"]]
    assert drawn != [row["prompt"] for row in first]
    assert drawn == [row["prompt"] for row in dataset.load(repo, 5, seed=1)["train_sft"]]


def test_a_small_percentage_takes_at_least_one_row(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    repo = serve(azureml_local, tmp_path, "tests/one-row", four_splits())
    assert dataset.check(repo, 0.1)["rows"] == dict.fromkeys(recipe.SPLITS, 1)


def test_an_unknown_data_set_is_named(azureml_local: AzureMLLocal) -> None:
    with pytest.raises(InputError, match="no data set 'nobody/nothing' with data in it"):
        dataset.check("nobody/nothing", 5)


def test_a_data_set_without_messages_is_refused(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    rows = {split: [{"text": "hello"}] for split in recipe.SPLITS}
    repo = serve(azureml_local, tmp_path, "tests/no-messages", rows)
    with pytest.raises(InputError, match=r"'tests/no-messages' has no column 'messages' but text"):
        dataset.check(repo, 100)


@pytest.mark.parametrize(
    ("split", "line", "text", "sentence"),
    [
        ("train_sft", 4, '{"prompt": "x", "messages": []}', r"line 4: 'messages' is \[\]"),
        ("test_sft", 7, '{"prompt": "x", "messages": [', "line 7: this is not JSON"),
        ("train_gen", 2, '{"prompt": "x", "messages": "hello"}', "line 2: 'messages' is 'hello'"),
        (
            "test_gen",
            1,
            '{"prompt": "x", "messages": [{"role": "boss", "content": "y"}]}',
            "line 1: message 1",
        ),
    ],
    ids=["empty", "cut off", "another shape", "another role"],
)
def test_a_malformed_row_is_named_by_file_and_line(
    azureml_local: AzureMLLocal, tmp_path: Path, split: str, line: int, text: str, sentence: str
) -> None:
    repo = serve_spoilt(azureml_local, tmp_path, f"tests/spoilt-{split}", split, line, text)
    with pytest.raises(InputError, match=rf"{split}\S*\.jsonl, {sentence}"):
        dataset.check(repo, 100)


def test_a_hub_that_fails_is_not_a_wrong_input(azureml_local: AzureMLLocal) -> None:
    fault = {"kind": "reset", "path": "/hub/*", "count": None}
    pauses: list[float] = []
    with azureml_local.faults(fault), pytest.raises(HubUnreachableError, match="does not answer"):
        hub.load_splits("tests/unreachable", pauses.append)
    assert pauses == [1, 2, 4, 8, 16]


def test_a_hub_that_is_busy_is_asked_again_as_late_as_it_says(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    repo = serve(azureml_local, tmp_path, "tests/busy", {split: [conversation(1)] for split in recipe.SPLITS})
    fault = {
        "kind": "status",
        "status": 429,
        "headers": {"Retry-After": "7"},
        "path": "/hub/api/datasets/*",
        "count": 3,
    }
    pauses: list[float] = []
    with azureml_local.faults(fault):
        assert set(hub.load_splits(repo, pauses.append)) == set(recipe.SPLITS)
    assert pauses == [7, 7, 7]


def test_a_cached_copy_does_not_stand_in_for_a_hub_that_is_away(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    repo = serve(
        azureml_local, tmp_path, "tests/cached", {split: [conversation(1)] for split in recipe.SPLITS}
    )
    assert set(hub.load_splits(repo)) == set(recipe.SPLITS)
    pauses: list[float] = []
    with (
        azureml_local.faults({"kind": "status", "status": 503, "path": "/hub/api/*", "count": None}),
        pytest.raises(HubUnreachableError, match="does not answer"),
    ):
        hub.load_splits(repo, pauses.append)
    assert pauses == [1, 2, 4, 8, 16]


def test_a_full_disk_is_not_blamed_on_the_hub_or_the_data(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    text = {"messages": [{"role": role, "content": "x" * 4000} for role in ("user", "assistant")]}
    name = serve(azureml_local, tmp_path, "local/no-room", {split: [text] * 200 for split in recipe.SPLITS})
    with pytest.raises(DiskFull, match="File too large") as caught, no_file_above(100_000):
        dataset.load(name, 100)
    assert "Hub does not answer" not in str(caught.value)
