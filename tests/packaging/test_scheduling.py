"""Tests that share what takes minutes to make run in one worker; a file that leaves its group is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import scheduling
from tests.support.azureml_service import ROOT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A test file that shares a job that trains."""
    path = tmp_path / "test_it.py"
    path.write_text(
        'import pytest\n\npytestmark = [pytest.mark.shares("trained_job"), pytest.mark.timeout(9)]\n'
    )
    return path


def test_files_of_different_folders_that_share_a_fixture_go_to_one_worker() -> None:
    folder = "tests/plugins/azure_ml"
    tests = [f"{folder}/operators/test_models.py::test_a", f"{folder}/triggers/test_jobs.py::test_b[x]"]
    assert {scheduling.scope(test, ROOT) for test in tests} == {"trained_job"}


def test_a_file_that_shares_nothing_goes_alone() -> None:
    assert (
        scheduling.scope("tests/packaging/test_scheduling.py::test_a", ROOT)
        == "tests/packaging/test_scheduling.py"
    )


def test_every_fixture_that_can_be_shared_is_shared_by_a_file() -> None:
    marked = {scheduling.group_of(path) for path in (ROOT / "tests").rglob("test_*.py")} - {""}
    assert marked == scheduling.SHARED


def test_a_file_with_the_mark_of_the_fixture_that_it_uses_is_accepted(file: Path) -> None:
    assert scheduling.problem(file, ["trained_job", "hook"]) == ""


def test_a_file_that_uses_the_fixture_of_another_group_is_refused(file: Path) -> None:
    assert 'needs pytestmark = pytest.mark.shares("launcher")' in scheduling.problem(
        file, ["trained_job", "launcher"]
    )


def test_a_file_without_the_mark_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "test_plain.py"
    plain.write_text('"""shares("trained_job") in a text marks nothing."""\n')
    assert 'needs pytestmark = pytest.mark.shares("trained_job")' in scheduling.problem(
        plain, ["trained_job"]
    )
    assert scheduling.problem(plain, ["hook"]) == ""


def test_a_mark_that_names_no_shared_fixture_is_refused(tmp_path: Path) -> None:
    misspelt = tmp_path / "test_misspelt.py"
    misspelt.write_text('import pytest\n\npytestmark = pytest.mark.shares("trained_jobs")\n')
    assert "shares 'trained_jobs', but what can be shared is" in scheduling.problem(misspelt, ["hook"])


def test_every_place_that_is_started_first_exists() -> None:
    assert [place for place in scheduling.LONG if not (ROOT / place).exists()] == []


def test_the_chaos_runs_are_started_before_everything_else() -> None:
    first, other = (
        scheduling.place("tests/chaos/test_chaos.py::test_a"),
        scheduling.place("tests/dags/test_a.py::test_a"),
    )
    assert (first, other) == (0, len(scheduling.LONG))
