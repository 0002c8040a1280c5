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


def register(azureml_local: AzureMLLocal, repo_id: str, folder: Path) -> Any:
    return azureml_local.post("/_local/hub/datasets", {"repo_id": repo_id, "folder": str(folder)})


def test_whatever_begins_with_a_dot_is_no_data(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    for place in ("", ".ipynb_checkpoints/", "more/.trash/"):
        for split in SPLITS:
            write_lines(tmp_path / f"{place}{split}.jsonl", [conversation(1)])
    assert register(azureml_local, "me/dots", tmp_path) == {
        "repo_id": "me/dots",
        "rows": dict.fromkeys(sorted(SPLITS), 1),
    }


def test_what_is_no_split_beside_splits_is_named_and_passed_over(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    for split in ("train", "validation", "test"):
        write_lines(tmp_path / f"{split}.jsonl", [conversation(1)])
    (tmp_path / "sample_score.json").write_text('{\n "input_data": {}\n}')
    answer = register(azureml_local, "me/notebook", tmp_path)
    assert answer["passed_over"] == ["sample_score.json"]
    assert answer["rows"] == {"test": 1, "train": 1, "validation": 1}


UNFIT: dict[str, Any] = {
    "an object without fields": [{}, {}],
    "two types in a field": [{"a": 1}, {"a": "b"}],
    "a number too large": [{"a": 10**30}, {"a": 1}],
    "content of two types": None,
}


@pytest.mark.parametrize("kind", UNFIT)
def test_rows_that_fit_into_no_table_are_served_as_json_lines(
    azureml_local: AzureMLLocal, tmp_path: Path, kind: str
) -> None:
    values = UNFIT[kind]
    rows: list[Any] = [
        {**conversation(number), **({"metadata": values[number]} if values else {})} for number in (0, 1)
    ]
    if values is None:
        rows[0]["messages"][0]["content"] = [{"type": "text", "text": "x"}]
    for split in SPLITS:
        write_lines(tmp_path / f"{split}.jsonl", rows)
    repo_id = f"me/{kind.replace(' ', '-')}"
    register(azureml_local, repo_id, tmp_path)
    url = f"/hub/datasets/{repo_id}/resolve/main/data/train_sft-00000-of-00001.jsonl"
    assert [json.loads(line) for line in azureml_local.http.get(url).text.split("\n") if line] == rows


def test_packed_files_and_a_byte_order_mark_are_read(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    import gzip

    content = b"\xef\xbb\xbf" + (json.dumps(conversation(1)) + "\r\n").encode() * 2
    for split in SPLITS:
        (tmp_path / f"{split}.jsonl.gz").write_bytes(gzip.compress(content))
    assert register(azureml_local, "me/packed", tmp_path)["rows"] == dict.fromkeys(sorted(SPLITS), 2)


def test_one_file_in_the_form_of_sharegpt_is_cut_too(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    turns = [("human", "a"), ("gpt", "b")]
    rows = [
        {"conversations": [{"from": who, "value": f"{text} {number}"} for who, text in turns]}
        for number in range(20)
    ]
    file = write_lines(tmp_path / "chats.jsonl", rows)
    assert sum(register(azureml_local, "me/sharegpt", file)["rows"].values()) == 20
    assert load(azureml_local, "me/sharegpt", tmp_path, "test_gen")[0]["conversations"][-1]["from"] == "human"


def test_a_part_of_a_file_is_served(azureml_local: AzureMLLocal) -> None:
    url = "/hub/datasets/HuggingFaceH4/ultrachat_200k/resolve/main/README.md"
    whole = azureml_local.http.get(url).content
    part = azureml_local.http.get(url, headers={"Range": "bytes=5-14"})
    assert (part.status_code, part.content) == (206, whole[5:15])
    assert part.headers["Content-Range"] == f"bytes 5-14/{len(whole)}"


def test_an_id_of_other_letters_than_ascii_is_refused(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", [conversation(1)])
    body = {"repo_id": "local/donn\u00e9es", "folder": str(tmp_path)}
    assert azureml_local.http.post("/_local/hub/datasets", json=body).status_code == 400
