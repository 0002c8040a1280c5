"""Time in the queue and time running, from a job's record alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_ml import errors
from azure_ml.hook.jobs.budgets import Budgets, Span, Usage, usage

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(minutes: float | None) -> datetime | None:
    return None if minutes is None else NOON + timedelta(minutes=minutes)


def span(created: float | None, started: float | None = None, ended: float | None = None) -> Span:
    return Span(at(created), at(started), at(ended))


def used(job: Span, *steps: Span, now: float) -> tuple[float, float, bool]:
    found = usage(job, steps, NOON + timedelta(minutes=now))
    return found.queued.total_seconds() / 60, found.running.total_seconds() / 60, found.waits


@pytest.mark.parametrize(
    ("job", "steps", "now", "expected"),
    [
        (span(0), [], 7, (7, 0, True)),
        (span(0), [span(1)], 7, (7, 0, True)),
        (span(0), [span(1, 5)], 7, (5, 2, False)),
        (span(0), [span(1, 5, 6)], 7, (5, 2, False)),
        (span(0), [span(1, 5, 6), span(6)], 9, (8, 1, True)),
        (span(0), [span(1, 5, 6), span(6, 8)], 9, (7, 2, False)),
        (span(0), [span(1, 2), span(1)], 9, (2, 7, False)),
        (span(0, 1), [], 9, (1, 8, False)),
        (span(0, 1, 5), [span(1, 2, 5)], 99, (2, 3, False)),
    ],
)
def test_waiting_is_when_a_step_waits_and_no_other_runs(
    job: Span, steps: list[Span], now: float, expected: tuple[float, float, bool]
) -> None:
    assert used(job, *steps, now=now) == expected


minutes = st.one_of(st.none(), st.integers(0, 100))


@given(steps=st.lists(st.builds(span, minutes, minutes, minutes), max_size=6), now=st.integers(0, 100))
def test_the_two_make_up_the_whole_life_whatever_the_record_says(steps: list[Span], now: int) -> None:
    queued, running, _ = used(span(0), *steps, now=now)
    assert queued >= 0
    assert running >= 0
    assert queued + running == pytest.approx(now)


@pytest.mark.parametrize(
    ("queued", "running", "kind"),
    [(60, 0, errors.JobQueuedTooLong), (0, 120, errors.JobRanTooLong), (59, 119, None)],
)
def test_each_budget_has_its_own_error(queued: int, running: int, kind: type[Exception] | None) -> None:
    budgets = Budgets.of(timedelta(hours=1), "2")
    found = budgets.spent("j", Usage(timedelta(minutes=queued), timedelta(minutes=running), waits=False))
    assert type(found) is (kind or type(None))


def test_what_is_left_is_of_the_budget_in_use() -> None:
    budgets = Budgets.of(1, 2)
    queued, running = timedelta(minutes=10), timedelta(minutes=30)
    assert budgets.left(Usage(queued, running, waits=True)) == timedelta(minutes=50)
    assert budgets.left(Usage(queued, running, waits=False)) == timedelta(minutes=90)
