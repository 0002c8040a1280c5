"""When Airflow tries again, and how long it waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.retries import CauseRetryPolicy


def delays(error: BaseException, tries: int = 3) -> list[tuple[str, float | None]]:
    policy = CauseRetryPolicy(timedelta(minutes=1))
    task: Any = type("Task", (), {"retries": tries})
    found = [policy.evaluate(error, n, tries, {"task": task}) for n in range(1, tries + 1)]
    return [(one.action.value, one.retry_delay.total_seconds() if one.retry_delay else None) for one in found]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (errors.JobPreempted, [("retry", 60), ("retry", 120), ("retry", 240)]),
        (errors.JobNoCapacity, [("retry", 300), ("retry", 600), ("retry", 1200)]),
        (errors.JobPlatformFailed, [("retry", 60), ("retry", 120), ("retry", 240)]),
        (errors.JobBadData, [("fail", None)] * 3),
        (errors.JobQuotaExceeded, [("fail", None)] * 3),
        (errors.JobCanceled, [("fail", None)] * 3),
        (errors.JobRanTooLong, [("fail", None)] * 3),
        (errors.AuthFailed, [("fail", None)] * 3),
        (errors.ServiceFailure, [("default", None)] * 3),
        (ValueError, [("default", None)] * 3),
    ],
)
def test_the_retry_follows_the_cause(kind: type[BaseException], expected: list[Any]) -> None:
    assert delays(kind("x")) == expected


def test_a_pause_is_never_longer_than_an_hour() -> None:
    assert delays(errors.JobNoCapacity("x"), 12)[-1] == ("retry", 3600)


def test_after_a_clear_the_pauses_begin_again() -> None:
    policy = CauseRetryPolicy(timedelta(minutes=1))
    task: Any = type("Task", (), {"retries": 2})
    cleared = policy.evaluate(errors.JobPreempted("x"), 4, 5, {"task": task})
    assert cleared.retry_delay == timedelta(minutes=1)
