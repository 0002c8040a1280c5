"""Which tests `make test` starts first, and which run in one worker as they share what is not to be made twice.

A test file says what it shares by ``pytestmark = pytest.mark.shares("<fixture>")``. The scheduler of pytest-xdist has
only the names of the tests, so it reads the mark from the file's text; :func:`check` compares them at every collection.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

LONG = (
    "tests/chaos/",
    "tests/plugins/azure_ml/operators/",
    "tests/plugins/azure_ml/triggers/",
    "tests/include/launcher/test_stack.py",
    "tests/include/launcher/test_browser.py",
    "tests/mission/",
    "tests/include/azureml_local/test_walkthrough.py",
    "tests/include/azureml_local/worker/components/",
    "tests/include/azureml_local/online/",
    "tests/include/azureml_local/worker/test_bring_your_own.py",
    "tests/include/azureml_local/jobs/",
    "tests/include/azureml_local/test_survival.py",
)
"""What takes longest goes first, so that the workers of `make test` end at about the same time."""

SHARED = frozenset({"launcher", "trained_job"})
"""Fixtures of a session that take minutes to make: a whole stack, a job that trains."""


@cache
def group_of(file: Path) -> str:
    """Name of the fixture that the file's tests share with those of other files; empty if there is none."""
    for statement in ast.parse(file.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "pytestmark":
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.shares":
                    return str(ast.literal_eval(node.args[0]))
    return ""


def place(test: str) -> int:
    """Place of a test in the order of the start."""
    return next((number for number, part in enumerate(LONG) if test.startswith(part)), len(LONG))


def scope(test: str, root: Path) -> str:
    """What goes to one worker as a whole: the group of the test's file, or else the file."""
    file = test.partition("::")[0]
    return group_of(root / file) or file


def problem(file: Path, fixtures: Iterable[str]) -> str:
    """What is wrong with the file's mark, given the fixtures of one of its tests; empty if nothing is."""
    declared, missing = group_of(file), SHARED.intersection(fixtures) - {group_of(file)}
    if missing:
        return (
            f'{file} needs pytestmark = pytest.mark.shares("{min(missing)}"), and no other mark of that kind'
        )
    if declared and declared not in SHARED:
        return f"{file} shares {declared!r}, but what can be shared is {sorted(SHARED)}"
    return ""


def check(items: Iterable[pytest.Item]) -> None:
    """Refuse tests that would be run outside their group.

    Raises:
        pytest.UsageError: with the line that each file needs.
    """
    problems = {problem(item.path, getattr(item, "fixturenames", ())) for item in items} - {""}
    if problems:
        raise pytest.UsageError("\n".join(sorted(problems)))
