"""Data sets on the local Hub, and the workspace's files, through the real hook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from azure_ml.hook import AzureMLHook
from azure_ml.hook.files import WorkspaceFiles
from include.finetune.data import checking, choice
from tests.support.azureml_service import AzureMLLocal
from tests.support.hub_data import Check, RowsOf


@pytest.fixture(autouse=True, scope="session")
def _hub(azureml_local: AzureMLLocal) -> None:
    """The Hub's client reads the address once, when any test first imports it."""


@pytest.fixture
def files(connection: Any) -> WorkspaceFiles:
    return AzureMLHook().files


@pytest.fixture
def check(files: WorkspaceFiles) -> Check:
    """Check a data set with the form's fields; no tokens are counted."""

    def run(dataset: str, **params: Any) -> dict[str, Any]:
        return checking.check(choice.choice_of({"dataset": dataset, "split_pc": 100, **params}), files)

    return run


@pytest.fixture
def rows_of(files: WorkspaceFiles) -> RowsOf:
    """The rows that are kept for a part of a run."""

    def read(checked: Mapping[str, Any], part: str) -> list[Any]:
        content = files.read(checked["files"][part]["uri"].partition("/paths/")[2])
        assert content.endswith(b"\n")
        return [json.loads(line) for line in content.decode().splitlines()]

    return read
