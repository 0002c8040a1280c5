"""The operator that cancels a run's jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure_ml.operators.base import Result
from azure_ml.operators.teardown import AzureMLTeardownOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLCancelJobsOperator(AzureMLTeardownOperator):
    """Cancel every job of this Dag run, and wait until all have ended; made to be a teardown.

    It finds the jobs by their owner's tags and so needs nothing from a task that may have died.
    Returns ``{"canceled": list[str]}``, names of jobs.
    """

    def __init__(self, *, timeout_seconds: float = 1800, **kwargs: Any) -> None:
        super().__init__(timeout_seconds=timeout_seconds, **kwargs)

    def execute(self, context: Context) -> Result:
        """Cancel, and cancel what came afterwards."""
        owner = self.owned_by(context)
        canceled = self.hook.jobs.end_owned(owner, self.timeout_seconds, self.sleep)
        if self.needs_second_check(context):
            canceled += self.hook.jobs.end_owned(owner, self.timeout_seconds, self.sleep)
        names = sorted(set(canceled))
        self.log.info("Jobs canceled: %s.", ", ".join(names) or "none, as none was running")
        return {"canceled": names}
