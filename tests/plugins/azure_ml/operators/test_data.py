"""Files on their way into the workspace and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azure_ml.errors import NotFound
from azure_ml.hook import AzureMLHook
from azure_ml.operators import AzureMLPrepareDataOperator


def two_files(folder: Path, text: str) -> tuple[dict[str, Path], dict[str, Any]]:
    for name in ("train", "test_gen"):
        (folder / f"{name}.jsonl").write_text(f"{name} {text}\n")
    return {name: folder / f"{name}.jsonl" for name in ("train", "test_gen")}, {"rows": {"train": 1}}


def prepare(context: Callable[..., Any], name: str, text: str) -> dict[str, Any]:
    operator = AzureMLPrepareDataOperator(
        task_id="data", prepare=two_files, asset_name=name, op_kwargs={"text": text}
    )
    return operator.execute(context())


def test_files_become_data_assets_whose_addresses_are_returned(
    hook: AzureMLHook, context: Callable[..., Any], unique: str
) -> None:
    found = prepare(context, unique, "hello")
    assert found["rows"] == {"train": 1}
    assert found["test_gen_id"].startswith(f"azureml:{unique}-test-gen:")
    assert hook.data.read_lines(found["train_uri"]) == ["train hello"]


def test_the_same_content_is_the_same_version_and_another_one_another(
    connection: Any, context: Callable[..., Any], unique: str
) -> None:
    first, again, other = (prepare(context, unique, text) for text in ("a", "a", "b"))
    assert first["train_id"] == again["train_id"] != other["train_id"]


def test_the_files_do_not_stay_on_the_worker(
    connection: Any, context: Callable[..., Any], unique: str
) -> None:
    seen: list[Path] = []

    def look(folder: Path) -> tuple[dict[str, Path], dict[str, Any]]:
        seen.append(folder)
        return {}, {}

    AzureMLPrepareDataOperator(task_id="data", prepare=look, asset_name=unique).execute(context())
    assert not seen[0].exists()


def test_an_address_with_nothing_behind_it_is_named(hook: AzureMLHook) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/nothing/here.jsonl"
    with pytest.raises(NotFound, match=r"no file at 'azureml://datastores.*here\.jsonl'"):
        hook.data.read_lines(uri)
