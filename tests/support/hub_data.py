"""Conversations and data sets of them on the local Hub, for tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.support.azureml_service import AzureMLLocal

Check = Callable[..., dict[str, Any]]
"""Checks a data set with fields of the form, as a fixture does."""
RowsOf = Callable[[Mapping[str, Any], str], list[Any]]
"""Reads the rows that were kept for a part of a run."""

SPLITS = ("train_sft", "test_sft", "train_gen", "test_gen")
PARTS = ("train_sft", "test_sft", "test_gen")
"""The splits that a run reads."""


def conversation(number: int, **more: Any) -> dict[str, Any]:
    """A question and its answer."""
    turns = [("user", f"What is {number} and one?"), ("assistant", f"It is {number + 1}.")]
    return {"messages": [{"role": role, "content": text} for role, text in turns], **more}


def four_splits(count: int = 10) -> dict[str, list[Any]]:
    """The same conversations in each split of the default data set."""
    return {split: [conversation(number) for number in range(count)] for split in SPLITS}


def lines(rows: Iterable[Any]) -> bytes:
    """JSON Lines of rows; a text is a line as it is."""
    return b"".join(
        (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)).encode() + b"\n"
        for row in rows
    )


def put(service: AzureMLLocal, repo_id: str, files: Mapping[str, bytes]) -> str:
    """Let the local Hub hold just these files, whatever is in them, as the real one holds what it is given."""
    folder = service.home / "hub" / "tests" / repo_id.replace("/", "--")
    folder.mkdir(parents=True)
    seed = folder.with_suffix(".seed.jsonl")
    seed.write_bytes(lines(conversation(number) for number in range(4)))
    service.post("/_local/hub/datasets", {"repo_id": repo_id, "folder": str(seed)})
    (served,) = (service.home / "hub" / repo_id.replace("/", "--")).iterdir()
    for file in (*served.rglob("*.parquet"), served / "README.md"):
        file.unlink()
    for name, content in files.items():
        (served / name).parent.mkdir(parents=True, exist_ok=True)
        (served / name).write_bytes(content)
    return repo_id


def put_splits(service: AzureMLLocal, repo_id: str, splits: Mapping[str, Iterable[Any]]) -> str:
    """A data set of JSON Lines, a file a split."""
    card = "".join(f"  - split: {split}\n    path: data/{split}.jsonl\n" for split in splits)
    readme = f"---\nconfigs:\n- config_name: default\n  data_files:\n{card}---\n".encode()
    files = {f"data/{split}.jsonl": lines(rows) for split, rows in splits.items()}
    return put(service, repo_id, {"README.md": readme, **files})
