"""The tests mirror the tree: who knows where the code is knows where its tests are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.support.azureml_service import ROOT

TESTS = ROOT / "tests"
UNTESTED = {
    "plugins": "azure_ml_plugin.py is one class of one attribute, which Airflow reads in every run of the Dag",
}
"""Source folders without tests of their own, each with its reason."""
OF_THE_WHOLE = {
    "bench": "measures the local Azure ML as a whole",
    "chaos": "one fault a run of the whole Dag",
    "conformance": "runs the SDK's own tests against the local Azure ML",
    "fuzz": "requests to the local Azure ML as a whole",
    "mission": "the whole Dag, every step for real",
    "packaging": "the project's own files: Makefile, README, requirements, this tree",
}
"""Test folders without a source folder, each with its reason."""


def has_code(file: Path) -> bool:
    """Whether there is more than a docstring in the file."""
    return any(not isinstance(statement, ast.Expr) for statement in ast.parse(file.read_text()).body)


def source_folders() -> set[str]:
    """Folders with Python code, relative to the project."""
    files = (file for top in ("dags", "plugins", "include") for file in (ROOT / top).rglob("*.py"))
    return {str(file.parent.relative_to(ROOT)) for file in files if has_code(file)}


def folders_of_tests() -> set[str]:
    """Folders with tests, relative to ``tests``."""
    return {str(file.parent.relative_to(TESTS)) for file in TESTS.rglob("test_*.py")}


def test_every_source_folder_has_its_tests_in_the_same_place() -> None:
    assert source_folders() - folders_of_tests() == set(UNTESTED)


def test_every_folder_of_tests_has_its_source_folder() -> None:
    assert folders_of_tests() - source_folders() == set(OF_THE_WHOLE)


def test_what_is_no_test_lies_in_support_or_beside_the_one_folder_that_uses_it() -> None:
    imports = re.compile(r"^\s*(?:from|import) (tests\.\S*\b(?:conftest|test_\w+))\b", re.MULTILINE)
    borrowed = {
        f"{file.relative_to(ROOT)} imports {module}"
        for file in TESTS.rglob("*.py")
        for module in imports.findall(file.read_text())
    }
    assert borrowed == set()
