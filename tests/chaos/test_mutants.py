"""The planted bugs: every one still fits the product, and names what should notice it."""

from __future__ import annotations

import ast
import json
import shlex
from pathlib import Path

import pytest

from include.launcher.paths import ROOT
from tests.chaos import cases, copies, mutants

MUTANTS = mutants.load()
CASES = {case.name for case in cases.load()}


def test_there_are_at_least_forty_and_no_two_have_one_name() -> None:
    assert len(MUTANTS) >= 40
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_applies_changes_something_and_says_who_should_notice(mutant: mutants.Mutant) -> None:
    assert mutant.applies(ROOT)
    assert mutant.file.startswith(("dags/", "plugins/", "include/"))
    assert mutant.why.endswith(".")
    ast.parse((ROOT / mutant.file).read_text().replace(mutant.old, mutant.new))
    files = [word for word in shlex.split(mutant.tests) if word.startswith("tests/")]
    assert files or mutant.cases
    assert all((ROOT / file).exists() for file in files)
    assert set(mutant.cases) <= CASES


def test_a_bug_is_planted_in_a_copy_and_taken_out_again() -> None:
    mutant = MUTANTS[0]
    with copies.copy_of_the_tree() as tree:
        with mutants.planted(mutant, tree):
            assert mutant.new in (tree / mutant.file).read_text()
            assert mutant.applies(ROOT)
        assert mutant.applies(tree)
        assert (tree / ".venv" / "bin" / "python").exists()


def test_a_noticed_bug_is_reported_with_the_test_that_noticed_it(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert mutants.main(["--names", "a-pause-of-days", "--no-cases", "--out", str(out)]) == 0
    (row,) = json.loads(out.read_text())
    assert row["patch"] == "a-pause-of-days"
    assert "test_a_pause_is_never_longer_than_an_hour" in row["killed_by"]


def test_a_bug_that_its_tests_do_not_notice_survives() -> None:
    harmless = mutants.Mutant(
        name="harmless",
        file="plugins/azure_ml/retries.py",
        old="# a region gets machines later",
        new="# a region gets machines sooner",
        tests="tests/plugins/azure_ml/test_retries.py",
        why="It changes a comment.",
    )
    with copies.copy_of_the_tree() as tree, copies.warm(tree) as tests:
        assert mutants.hunt(harmless, tree, tests, with_cases=False).killed_by is None
