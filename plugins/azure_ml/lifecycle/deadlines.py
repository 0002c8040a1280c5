"""From when a run's deadline counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk.definitions.deadline import BaseDeadlineReference


class RunMade(BaseDeadlineReference):
    """The moment at which the Dag run is made: Airflow evaluates a deadline just then.

    In place of ``DeadlineReference.DAGRUN_QUEUED_AT``, with which no task of a run can be cleared in Airflow
    3.3.0 to 3.3.2 (its issue 70368: the API answers 500). Unlike that one it is not put off by a clear.
    Airflow finds the class by the plugin's ``deadline_references``.
    """

    def _evaluate_with(self, *, session: Any, **_: Any) -> datetime:
        return datetime.now(UTC)
