"""Files on their way into the workspace and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azure_ml.errors import NotFound
from azure_ml.hook import AzureMLHook
from azure_ml.operators import AzureMLRegisterDataOperator
from tests.support.azureml_service import AzureMLLocal


def register(
    hook: AzureMLHook, context: Callable[..., Any], name: str, content: bytes, version: str = "1"
) -> dict[str, Any]:
    path = f"tests/{name}/train.jsonl"
    hook.files.write(path, content)
    files = {key: {"uri": hook.files.uri(path), "version": version} for key in ("train", "test_gen")}
    return AzureMLRegisterDataOperator(task_id="data", files=files, asset_name=name).execute(context())


def test_files_become_data_assets_whose_addresses_are_returned(
    hook: AzureMLHook, context: Callable[..., Any], unique: str
) -> None:
    found = register(hook, context, unique, b"hello\n")
    assert set(found) == {"train_uri", "train_id", "test_gen_uri", "test_gen_id"}
    assert found["test_gen_id"] == f"azureml:{unique}-test-gen:1"
    assert hook.data.read_lines(found["train_uri"]) == ["hello"]


def test_the_same_version_is_registered_once(
    hook: AzureMLHook, azureml_local: AzureMLLocal, context: Callable[..., Any], unique: str
) -> None:
    first = register(hook, context, unique, b"a\n")
    # Whatever would be written now is refused.
    with azureml_local.faults(
        {"kind": "status", "status": 403, "method": "PUT", "path": "*/data/*", "count": None}
    ):
        assert AzureMLRegisterDataOperator(
            task_id="data",
            files={"train": {"uri": first["train_uri"], "version": "1"}},
            asset_name=unique,
        ).execute(context()) == {name: first[name] for name in ("train_uri", "train_id")}
    assert register(hook, context, unique, b"b\n", version="2")["train_id"] != first["train_id"]


def test_a_line_ends_at_the_newline_only(hook: AzureMLHook, unique: str) -> None:
    path = f"tests/{unique}/lines.jsonl"
    hook.files.write(path, "\ufeffone\u2028more\x85\x0c\r\ntwo\n\nthree".encode())
    assert hook.data.read_lines(hook.files.uri(path)) == ["one\u2028more\x85\x0c", "two", "", "three"]


def test_a_file_of_several_blocks_comes_back_as_it_was(
    hook: AzureMLHook, unique: str, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 40_000
    (tmp_path / "large").write_bytes(content)
    hook.files.write(f"tests/{unique}/large", tmp_path / "large")
    assert hook.files.sizes(f"tests/{unique}/") == {f"tests/{unique}/large": len(content)}
    hook.files.fetch(f"tests/{unique}/large", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content


def test_a_file_that_is_not_there_is_named(hook: AzureMLHook) -> None:
    with pytest.raises(NotFound, match="nothing/here"):
        hook.files.read("nothing/here")


def test_an_address_with_nothing_behind_it_is_named(hook: AzureMLHook) -> None:
    uri = "azureml://datastores/workspaceblobstore/paths/nothing/here.jsonl"
    with pytest.raises(NotFound, match=r"no file at 'azureml://datastores.*here\.jsonl'"):
        hook.data.read_lines(uri)
