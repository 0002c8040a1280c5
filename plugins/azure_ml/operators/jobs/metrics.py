"""The operator that reads a job's metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azure_ml.bounds import bounded
from azure_ml.operators.base import AzureMLOperator, Result

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLJobMetricsOperator(AzureMLOperator):
    """Read the metrics of a job and of its steps from MLflow.

    Returns what ``review`` makes of ``{run name: {metric: last value}}``; without it, ``{"runs": ...}``.
    """

    template_fields = (*AzureMLOperator.template_fields, "job_name", "experiment_name")

    def __init__(
        self,
        *,
        job_name: str,
        experiment_name: str,
        review: Callable[[dict[str, dict[str, float]]], Result] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.experiment_name = experiment_name
        self.review = review

    def execute(self, context: Context) -> Result:
        """Read."""
        runs = self.hook.metrics.of_job(self.job_name, self.experiment_name)
        return bounded(self.review(runs) if self.review else {"runs": runs})
