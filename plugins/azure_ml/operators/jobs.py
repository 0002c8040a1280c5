"""Operators for jobs: submit, and read the metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from azure_ml.hook.jobs.calls import PipelineRequest, attempt_name
from azure_ml.links import STUDIO_KEY, JobLink
from azure_ml.operators.base import AzureMLOperator, optional
from azure_ml.operators.durable import DurableOperator
from azure_ml.states import may_be_canceled

if TYPE_CHECKING:
    from airflow.sdk import Context

SUBMISSION: Final = "submission"
CANCEL_SECONDS: Final = 300.0
"""How long the end of an earlier job is waited for before a new one is submitted."""


class AzureMLSubmitPipelineJobOperator(DurableOperator):
    """Submit a pipeline job of one registry component.

    The job's name is the key: ``job_name``, a fingerprint of what is submitted, and from the second job on a
    number. What is sent is noted before it is sent, so that a retry, a restarted worker, or a second
    submission after a crash finds the job that there is. Clearing this task on purpose cancels a job that
    still runs, waits for its end, and submits a new one: see the ADR on retry and clear.

    Args:
        job_name: first part of the job's name; derive it from the run, the task and its map index.
        component_name: of the component in the registry.
        component_version: of the component; empty for the newest.
        inputs: a value for each input; for files and models their ``azureml:`` address. ``None`` is left out.
        parameters: more inputs, under those of ``inputs``: a dictionary of an earlier task's, for example.
        outputs: output of the component -> name of the job's output.
        experiment_name: experiment under which Studio lists the job.
        display_name: title in Studio.
        description: text in Studio.
        lease: after this the reaper may cancel the job, if Airflow does not know its run.

    Returns:
        ``{"job_name": str, "request": dict, "experiment_name": str, "display_name": str, "studio_url": str}``;
        ``request`` is for the waiting task, which may have to submit the next job.

    Example::

        AzureMLSubmitPipelineJobOperator(
            task_id="submit", job_name="j", component_name="chat_completion_pipeline", experiment_name="e",
            display_name="d", inputs={"num_train_epochs": 3}, outputs={"mlflow_model_folder":
            "trained_model"},
        )
    """

    template_fields = (
        *DurableOperator.template_fields,
        "job_name",
        "component_name",
        "component_version",
        "inputs",
        "parameters",
        "outputs",
        "experiment_name",
        "display_name",
        "description",
    )
    operator_extra_links = (JobLink(),)

    def __init__(
        self,
        *,
        job_name: str,
        component_name: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, str],
        experiment_name: str,
        display_name: str,
        component_version: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        description: str = "",
        lease: timedelta = timedelta(hours=30),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.component_name = component_name
        self.component_version = component_version
        self.inputs = inputs
        self.parameters = parameters
        self.outputs = outputs
        self.experiment_name = experiment_name
        self.display_name = display_name
        self.description = description
        self.lease = lease

    def execute(self, context: Context) -> dict[str, Any]:
        """Submit, or find what was submitted."""
        self.remember(context)
        request = self._request(context)
        job, new = self.hook.jobs.submit(request)
        self.log.info(
            "%s job %s (%s): %s", "Submitted" if new else "Found", job.name, job.status, job.studio_url
        )
        return {
            "job_name": job.name,
            "request": request.as_dict(),
            "experiment_name": request.experiment_name,
            "display_name": request.display_name,
            STUDIO_KEY: job.studio_url,
        }

    def on_kill(self) -> None:
        """Cancel the job if somebody has ended the task; leave it where the next try will find it."""
        self.leave(self._cancel_submitted)

    def _cancel_submitted(self) -> list[str]:
        noted = self.noted(SUBMISSION)
        if not noted:
            return []
        request = PipelineRequest(**noted["request"])
        names = [attempt_name(request.name, request.first_attempt + more) for more in range(2)]
        return [name for name in names if self.hook.jobs.cancel(name)]

    def _request(self, context: Context) -> PipelineRequest:
        """What this try, or an earlier one of the same round, sends; noted before it is sent.

        A retry keeps ``max_tries``; a clear sets it to the tries so far plus the retries. ``clear_number`` of
        the run changes with a clear of any task of it, so it tells nothing about this one.
        """
        tries = getattr(context["ti"], "max_tries", 0)
        noted = self.noted(SUBMISSION)
        if noted and noted["max_tries"] == tries:
            return PipelineRequest(**noted["request"])
        request = self._asked_for(context)
        if noted:
            self._end_earlier(self.owned_by(context))
            request = replace(request, first_attempt=self.hook.jobs.free_attempt(request.name))
        clears = getattr(context.get("dag_run"), "clear_number", 0)
        self.note(SUBMISSION, {"max_tries": tries, "clear_number": clears, "request": request.as_dict()})
        return request

    def _asked_for(self, context: Context) -> PipelineRequest:
        inputs = {**(self.parameters or {}), **self.inputs}
        request = self.hook.jobs.resolved(
            PipelineRequest(
                name=self.job_name,
                component=self.component_name,
                component_version=optional(self.component_version),
                inputs={name: value for name, value in inputs.items() if value is not None},
                outputs=dict(self.outputs),
                experiment_name=self.experiment_name,
                display_name=self.display_name,
                description=self.description,
                tags=self.leased_by(context, self.lease),
            )
        )
        return replace(request, name=f"{request.name}-{request.fingerprint()}")

    def _end_earlier(self, owner: Mapping[str, str]) -> None:
        """End what this task had submitted before it was cleared."""
        self.log.info("The task was cleared: it submits anew.")
        for job in self.hook.jobs.owned(owner):
            if job.name.startswith(f"{self.job_name}-") and may_be_canceled(job.status):
                state = self.hook.jobs.end(job.name, CANCEL_SECONDS)
                self.log.info("The earlier job %s is %s.", job.name, state)


class AzureMLJobMetricsOperator(AzureMLOperator):
    """Read the metrics of a job and of its steps from MLflow.

    Args:
        job_name: of the job.
        experiment_name: of the job.
        review: makes the result from ``{run name: {metric: last value}}``; without it, that is the result's
            ``runs``.

    Returns:
        what ``review`` returns, or ``{"runs": ...}``

    Example::

        AzureMLJobMetricsOperator(task_id="metrics", job_name="j", experiment_name="e")
    """

    template_fields = (*AzureMLOperator.template_fields, "job_name", "experiment_name")

    def __init__(
        self,
        *,
        job_name: str,
        experiment_name: str,
        review: Callable[[dict[str, dict[str, float]]], dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.experiment_name = experiment_name
        self.review = review

    def execute(self, context: Context) -> dict[str, Any]:
        """Read."""
        runs = self.hook.metrics.of_job(self.job_name, self.experiment_name)
        return self.review(runs) if self.review else {"runs": runs}
