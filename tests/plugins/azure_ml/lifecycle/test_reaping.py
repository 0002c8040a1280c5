"""What counts as an orphan, and what the reaper reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from azure_ml.lifecycle import tags as ownership
from azure_ml.lifecycle.reaping import Candidate, Report, RunState, judge, row, table

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def found(expires: datetime | None, **tags: str) -> Candidate:
    lease = {ownership.EXPIRY_TAG: ownership.spelled(expires)} if expires else {}
    return Candidate(
        "endpoint", "e", "Succeeded", {**ownership.owner_tags("d", "r", "p"), **lease, **tags}, 2
    )


@pytest.mark.parametrize(
    ("run", "hours", "orphan"),
    [
        ("alive", -1, False),
        ("alive", 1, False),
        ("ended", 1, True),
        ("ended", -1, True),
        ("ended", None, True),
        ("unknown", -1, True),
        ("unknown", 1, False),
        ("unknown", None, False),
        ("no answer", -1, False),
    ],
)
def test_an_orphan_is_what_has_no_living_run_and_no_lease(
    run: RunState, hours: int | None, orphan: bool
) -> None:
    one = found(NOW + timedelta(hours=hours) if hours else None)
    assert judge(one, run, NOW).orphan is orphan


def test_tags_that_name_no_run_make_no_orphan() -> None:
    assert not judge(found(NOW - timedelta(days=9), airflow_run_id=""), "ended", NOW).orphan


def test_the_minutes_saved_count_each_machine() -> None:
    assert found(NOW + timedelta(minutes=30)).minutes_left(NOW) == 60
    assert found(NOW - timedelta(minutes=30)).minutes_left(NOW) == 0


def test_the_table_shows_outcome_and_reason() -> None:
    one = row(found(NOW), "its run has ended")
    drawn = table(Report(dry_run=True, deleted=[one], left=[{**one, "why": "its run is alive"}]))
    assert "would delete" in drawn
    assert "its run is alive" in drawn
