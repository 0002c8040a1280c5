"""The moment from which a run's deadline counts."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk.definitions.deadline import BaseDeadlineReference


class RunMade(BaseDeadlineReference):
    """The moment at which Airflow creates the Dag run: it evaluates a deadline just then.

    It replaces ``DeadlineReference.DAGRUN_QUEUED_AT``, with which no task of a run can be cleared in Airflow
    3.3.0 to 3.3.2 (its issue 70368: the API answers 500). A clear does not postpone it, unlike that one.
    """

    def _evaluate_with(self, *, session: object, **_: object) -> datetime:
        return datetime.now(UTC)
