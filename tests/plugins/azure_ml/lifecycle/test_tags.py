"""Tags of owner and lease, and what counts as an orphan by them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.lifecycle import tags as ownership
from azure_ml.lifecycle.reaping import Candidate, Report, RunState, judge, row, table

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def found(expires: datetime | None, **tags: str) -> Candidate:
    lease = {ownership.EXPIRY_TAG: ownership.spelled(expires)} if expires else {}
    return Candidate(
        "endpoint", "e", "Succeeded", {**ownership.owner_tags("d", "r", "p"), **lease, **tags}, 2
    )


def test_a_lease_is_tagged_with_its_task_and_its_end_in_utc(context: Callable[..., Any]) -> None:
    tags = ownership.lease_tags(context("r"), "p", timedelta(hours=2))
    end = ownership.expiry_of(tags)
    assert end is not None
    assert timedelta(hours=1.9) < end - datetime.now(UTC) <= timedelta(hours=2)
    assert tags[ownership.EXPIRY_TAG].endswith("Z")
    assert ownership.MAP_INDEX_TAG not in tags


def test_a_mapped_task_is_tagged_with_its_index(context: Callable[..., Any]) -> None:
    there = context()
    there["ti"].map_index = 3
    assert ownership.creator_tags(there, "p")[ownership.MAP_INDEX_TAG] == "3"


@pytest.mark.parametrize("lease", [timedelta(0), timedelta(seconds=-1)])
def test_a_lease_that_is_over_at_once_is_refused(context: Callable[..., Any], lease: timedelta) -> None:
    with pytest.raises(errors.BadInput, match="over before it begins"):
        ownership.lease_tags(context(), "p", lease)


@pytest.mark.parametrize("missing", [("", "r", "p"), ("d", "", "p"), ("d", "r", "")])
def test_nobody_owns_by_an_empty_name(missing: tuple[str, str, str]) -> None:
    with pytest.raises(errors.BadInput, match="has no airflow_"):
        ownership.owner_tags(*missing)


def test_an_owner_without_tags_owns_nothing() -> None:
    assert not ownership.is_owned({"a": "b"}, {})
    assert not ownership.is_owned(None, {"a": "b"})


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z"])
def test_a_lease_that_cannot_be_read_is_no_lease(text: str) -> None:
    assert ownership.expiry_of({ownership.EXPIRY_TAG: text}) is None


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
