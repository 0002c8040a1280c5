"""The moment from which a run's deadline counts."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk.definitions.deadline import BaseDeadlineReference


# ``DeadlineReference.DAGRUN_QUEUED_AT`` would do, but with it no task of a run can be cleared in Airflow 3.3.0 to
# 3.3.2 (its issue 70368: the API answers 500).
class RunMade(BaseDeadlineReference):
    """The moment at which Airflow creates the Dag run: it evaluates a deadline just then."""

    def _evaluate_with(self, *, session: object, **_: object) -> datetime:
        return datetime.now(UTC)
