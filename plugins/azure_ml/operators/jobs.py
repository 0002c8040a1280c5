"""Operators for jobs: submit, wait, read the metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from azure_ml import errors
from azure_ml.hook.jobs import PipelineRequest
from azure_ml.links import STUDIO_KEY, JobLink
from azure_ml.operators.base import AzureMLOperator, optional, truth
from azure_ml.states import is_success
from azure_ml.triggers import JobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from azure_ml.hook import AzureMLHook

ENDED: Final[dict[str, tuple[type[errors.JobNotCompleted], str]]] = {
    "canceled": (errors.JobCanceled, "somebody has canceled it; run the Dag again if that was a mistake"),
    "paused": (errors.JobPaused, "it stands still until somebody resumes it in Studio"),
    "notresponding": (
        errors.JobNotResponding,
        "its machine sends no sign of life; cancel it in Studio and run again",
    ),
}


def require_completed(hook: AzureMLHook, job_name: str, status: str) -> None:
    """Accept nothing but ``Completed`` as the end of a job.

    Raises:
        JobFailed: with the failed step and its last lines.
        JobCanceled, JobPaused, JobNotResponding: for the other ways to end.
        UnknownState: for a state that is in no table.
        ServiceFailure: if the job still runs.
    """
    if is_success("job", status, job_name):
        return
    if status.lower() == "failed":
        raise errors.JobFailed(f"The job {job_name!r} has failed: {hook.logs.failure(job_name)}")
    if status.lower() in ENDED:
        kind, cure = ENDED[status.lower()]
        raise kind(f"The job {job_name!r} is in state {status!r} and not 'Completed': {cure}.")
    raise errors.ServiceFailure(
        f"The log of the job {job_name!r} has ended while it is in state {status!r}: wait again."
    )


class AzureMLSubmitPipelineJobOperator(AzureMLOperator):
    """Submit a pipeline job of one registry component.

    The job's name is the key: a retry, or a second submission, finds the job that runs or has completed.
    Only after a failed job a new one is submitted, as ``<name>-2`` and so on.

    Args:
        job_name: of the job; derive it from the run.
        component_name: of the component in the registry.
        component_version: of the component; empty for the newest.
        inputs: a value for each input; for files and models their ``azureml:`` address. ``None`` is left out.
        parameters: more inputs, under those of ``inputs``: a dictionary of an earlier task's, for example.
        outputs: output of the component -> name of the job's output.
        experiment_name: experiment under which Studio lists the job.
        display_name: title in Studio.
        description: text in Studio.

    Returns:
        ``{"job_name": str, "experiment_name": str, "display_name": str, "studio_url": str}``

    Example::

        AzureMLSubmitPipelineJobOperator(
            task_id="submit", job_name="j", component_name="chat_completion_pipeline", experiment_name="e",
            display_name="d", inputs={"num_train_epochs": 3}, outputs={"mlflow_model_folder":
            "trained_model"},
        )
    """

    template_fields = (
        *AzureMLOperator.template_fields,
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

    def execute(self, context: Context) -> dict[str, str]:
        """Submit, or find what was submitted."""
        job, new = self.hook.jobs.submit(
            PipelineRequest(
                name=self.job_name,
                component=self.component_name,
                component_version=optional(self.component_version),
                inputs={**(self.parameters or {}), **self.inputs},
                outputs=self.outputs,
                experiment_name=self.experiment_name,
                display_name=self.display_name,
                description=self.description,
                tags=self.owned_by(context),
            )
        )
        self.log.info(
            "%s job %s (%s): %s", "Submitted" if new else "Found", job.name, job.status, job.studio_url
        )
        return {
            "job_name": job.name,
            "experiment_name": self.experiment_name,
            "display_name": self.display_name,
            STUDIO_KEY: job.studio_url,
        }

    def on_kill(self) -> None:
        """Cancel the job."""
        self.stop_after(lambda: self.hook.jobs.cancel_attempts(self.job_name))


class AzureMLWaitForJobOperator(AzureMLOperator):
    """Wait for a job, with its log and that of each step in the task log, and require that it completes.

    Args:
        job_name: of the job.
        deferrable: wait in the triggerer, holding no worker; the log then comes when the job has ended.
        poll_seconds: pause between two looks at a deferred job.
        timeout: how long a deferred job may take; ``execution_timeout`` bounds the waiting on a worker.

    Returns:
        ``{"job_name": str, "status": "Completed"}``

    Raises:
        JobFailed: with the failed step and its last lines.
        JobCanceled, JobPaused, JobNotResponding, UnknownState: for every other end.

    Example::

        AzureMLWaitForJobOperator(task_id="wait", job_name=submit.returned("job_name"))
    """

    template_fields = (*AzureMLOperator.template_fields, "job_name", "deferrable")
    operator_extra_links = (JobLink(),)

    def __init__(
        self,
        *,
        job_name: str,
        deferrable: bool | str = False,
        poll_seconds: float = 30,
        timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.deferrable = deferrable
        self.poll_seconds = poll_seconds
        self.timeout = timeout

    def execute(self, context: Context) -> dict[str, str]:
        """Wait here, or defer."""
        self.push_studio_url(context, f"/runs/{self.job_name}")
        if truth(self.deferrable):
            trigger = JobTrigger(self.job_name, self.azure_ml_conn_id, self.poll_seconds)
            self.defer(trigger=trigger, method_name="execute_complete", timeout=self.timeout)
        self.hook.logs.stream(self.job_name, self.log.info)
        return self._result(self.hook.jobs.status(self.job_name))

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, str]:
        """Take up where the trigger has found the job's end; an error of the trigger's is raised here."""
        if event and event.get("error"):
            raise errors.ServiceFailure(str(event["error"]))
        self.hook.logs.pump(self.job_name, self.log.info)
        return self._result(self.hook.jobs.status(self.job_name))

    def on_kill(self) -> None:
        """Cancel the job."""
        self.stop_after(lambda: self.hook.jobs.cancel(self.job_name))

    def _result(self, status: str) -> dict[str, str]:
        require_completed(self.hook, self.job_name, status)
        return {"job_name": self.job_name, "status": status}


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
