"""Only a green run without an endpoint is a success, and an error is shown in its own words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.launcher import outcome, summary


def ended(state: str, *, exists_after: bool) -> dict[str, Any]:
    """The parts of an outcome that decide the exit code."""
    return {"state": state, "endpoint": {"name": "e", "exists_after": exists_after}}


def test_a_green_run_that_left_no_endpoint_is_a_success() -> None:
    assert outcome.succeeded(ended("success", exists_after=False))


@pytest.mark.parametrize(("state", "exists"), [("failed", False), ("success", True), ("failed", True)])
def test_anything_else_is_none(state: str, exists: bool) -> None:
    assert not outcome.succeeded(ended(state, exists_after=exists))


def test_the_error_is_the_last_exception_of_the_log() -> None:
    log: list[dict[str, Any]] = [
        {"event": "first", "level": "error", "error_detail": [{"exc_type": "A", "exc_value": "one"}]},
        {"event": "Task failed", "level": "error", "error_detail": [{"exc_type": "B", "exc_value": "two"}]},
        {"event": "done", "level": "info"},
    ]
    assert outcome.error_sentence(log) == "B: two"


def test_without_an_exception_it_is_the_last_line_of_level_error() -> None:
    assert outcome.error_sentence([{"event": "killed\n by signal", "level": "error"}]) == "killed by signal"


def test_without_either_it_says_so() -> None:
    assert outcome.error_sentence([{"event": "x", "level": "info"}]) == "it left no error in its log"


def test_the_file_is_written_whole(tmp_path: Path) -> None:
    file = tmp_path / "last_run.json"
    outcome.write({"state": "success", "answer": "Grüße"}, file)
    assert json.loads(file.read_text()) == {"state": "success", "answer": "Grüße"}
    assert [path.name for path in tmp_path.iterdir()] == ["last_run.json"]


def test_the_summary_shows_both_losses_and_the_change() -> None:
    rows = summary.losses(
        {"train_loss": 2.0, "base_train_loss": 2.5, "eval_loss": 3.0, "base_eval_loss": 4.0}
    )
    assert rows == [
        ("loss, training data", "base 2.500, tuned 2.000 (-20 %)"),
        ("loss, held-out data", "base 4.000, tuned 3.000 (-25 %)"),
    ]
