"""``datasets`` loads from the local Hub as from the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.azureml_service import AzureMLLocal

SPLITS = ("train_sft", "test_sft", "train_gen", "test_gen")


def load(azureml_local: AzureMLLocal, repo_id: str, cache: Path, split: str) -> list[dict[str, Any]]:
    """Load a split in a process of its own: ``huggingface_hub`` reads ``HF_ENDPOINT`` at its import."""
    code = (
        "import json, sys; from datasets import load_dataset\n"
        f"data = load_dataset({repo_id!r}, split={split!r})\n"
        "json.dump(data.to_list(), open(sys.argv[1], 'w'))"
    )
    out = cache / "rows.json"
    done = subprocess.run(
        [sys.executable, "-c", code, str(out)],
        env={
            **os.environ,
            **azureml_local.environment,
            "HF_HOME": str(cache),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return list(json.loads(out.read_text()))


def conversation(number: int) -> dict[str, Any]:
    texts = [("user", f"question {number}"), ("assistant", f"answer {number}")] * 2
    return {
        "prompt": f"question {number}",
        "messages": [{"role": role, "content": text} for role, text in texts],
    }


def write_lines(file: Path, rows: list[Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_sample_is_served_until_something_is_registered(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    listed = {
        row["repo_id"]: row["rows"] for row in azureml_local.http.get("/_local/hub/datasets").json()["value"]
    }
    assert set(listed["HuggingFaceH4/ultrachat_200k"]) == set(SPLITS)
    rows = load(azureml_local, "HuggingFaceH4/ultrachat_200k", tmp_path, "test_gen[:5%]")
    assert rows[0]["messages"][-1]["role"] == "user"
    assert set(rows[0]) == {"prompt", "prompt_id", "messages"}


def test_one_file_is_cut_into_four_disjoint_splits(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "data" / "slice.jsonl", [conversation(number) for number in range(50)])
    answer = azureml_local.post("/_local/hub/datasets", {"repo_id": "me/cut", "folder": str(file.parent)})
    assert answer == {
        "repo_id": "me/cut",
        "rows": {"train_sft": 35, "test_sft": 5, "train_gen": 5, "test_gen": 5},
    }
    prompts: list[str] = []
    for split in SPLITS:
        rows = load(azureml_local, "me/cut", tmp_path, split)
        prompts += [row["prompt"] for row in rows]
        last = {row["messages"][-1]["role"] for row in rows}
        assert last == ({"user"} if split.endswith("gen") else {"assistant"})
    assert sorted(prompts) == sorted(f"question {number}" for number in range(50))
    again = azureml_local.post("/_local/hub/datasets", {"repo_id": "me/again", "folder": str(file)})
    assert again["rows"] == answer["rows"]


def test_files_named_by_split_are_served_as_they_are(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    for place, split in enumerate(SPLITS):
        write_lines(
            tmp_path / "named" / f"{split}_part.jsonl", [conversation(place), conversation(place + 10)]
        )
    answer = azureml_local.post(
        "/_local/hub/datasets", {"repo_id": "me/named", "folder": str(tmp_path / "named")}
    )
    assert answer["rows"] == dict.fromkeys(sorted(SPLITS), 2)
    assert load(azureml_local, "me/named", tmp_path, "train_gen") == [conversation(2), conversation(12)]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{not json", "no JSON"),
        ("[1, 2]", "no JSON object"),
        ('{"messages": []}', "at least one message"),
        ('{"messages": [{"role": "user"}]}', "message 1"),
        ('{"text": "x"}', "'messages' is missing"),
    ],
)
def test_a_malformed_row_is_refused_with_file_and_line(
    azureml_local: AzureMLLocal, tmp_path: Path, line: str, fault: str
) -> None:
    file = write_lines(tmp_path / "bad.jsonl", [conversation(number) for number in range(6)])
    file.write_text(file.read_text() + line + "\n")
    answer = azureml_local.http.post("/_local/hub/datasets", json={"repo_id": "me/bad", "folder": str(file)})
    assert answer.status_code == 400
    message = answer.json()["error"]["message"]
    assert "bad.jsonl, line 7" in message
    assert fault in message


@pytest.mark.parametrize(
    ("repo_id", "folder"), [("me/x", "/no/such/folder"), ("me/x", "relative"), ("../x", "/tmp")]
)
def test_a_wrong_registration_is_refused(azureml_local: AzureMLLocal, repo_id: str, folder: str) -> None:
    answer = azureml_local.http.post("/_local/hub/datasets", json={"repo_id": repo_id, "folder": folder})
    assert answer.status_code == 400


def test_an_unknown_repository_is_not_found(azureml_local: AzureMLLocal) -> None:
    answer = azureml_local.http.get("/hub/api/datasets/no/body")
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, "RepoNotFound")


def test_a_file_has_the_headers_that_the_client_caches_by(azureml_local: AzureMLLocal) -> None:
    url = "/hub/datasets/HuggingFaceH4/ultrachat_200k/resolve/main/README.md"
    head = azureml_local.http.head(url)
    assert len(head.headers["X-Repo-Commit"]) == 40
    assert int(head.headers["Content-Length"]) == len(azureml_local.http.get(url).content)
    assert azureml_local.http.get(url, headers={"If-None-Match": head.headers["ETag"]}).status_code == 304
    missing = azureml_local.http.head(url.replace("README.md", "../../state.db"))
    assert missing.status_code in (404, 501)
