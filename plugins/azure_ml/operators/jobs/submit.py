"""The operator that submits a job: one job a round, whatever happens to the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from azure_ml.hook.jobs.calls import attempt_name
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.links import STUDIO_KEY, JobLink
from azure_ml.operators.base import AzureMLOperator, Result
from azure_ml.operators.rendered import optional
from azure_ml.states import may_be_canceled

if TYPE_CHECKING:
    from airflow.sdk import Context

SUBMISSION: Final = "submission"
# How long the end of an earlier job may take before a new one is submitted.
CANCEL_SECONDS: Final = 300.0


class AzureMLSubmitPipelineJobOperator(AzureMLOperator):
    """Submit a pipeline job of one registry component.

    The job's name is the key: ``job_name``, a fingerprint of the request, and from the second job on a number.
    The task saves the request before it sends it, so that a retry, or a second submission after a crash, finds the
    job that exists. Clearing this task cancels a job that still runs, and submits a new one: see the ADR.

    Returns ``{"job_name": str, "request": dict, "experiment_name": str, "display_name": str, "studio_url": str}``.
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
        job_name: str,  # derive it from the run, the task and its map index
        component_name: str,
        inputs: Mapping[str, object],  # for files and models their azureml: address; None is left out
        outputs: Mapping[str, str],  # output of the component -> name of the job's output
        experiment_name: str,
        display_name: str,
        component_version: str | None = None,  # empty: the newest
        parameters: Mapping[str, object] | None = None,  # more inputs, which those of `inputs` override
        description: str = "",
        lease: timedelta = timedelta(hours=30),  # then the reaper may cancel it, if its run is unknown
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

    def execute(self, context: Context) -> Result:
        """Submit, or find the job that was submitted."""
        self.require_teardown(context)
        self.keep_context(context)
        request = self._saved_request(context)
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
        """Cancel the job if a user ended the task; otherwise the next try finds it."""
        self.interrupt(self._cancel_submitted)

    def _cancel_submitted(self) -> list[str]:
        saved = self.load_state(SUBMISSION)
        if not saved:
            return []
        request = PipelineRequest(**saved["request"])
        names = [attempt_name(request.name, request.first_attempt + more) for more in range(2)]
        return [name for name in names if self.hook.jobs.cancel(name, request.owner)]

    def _saved_request(self, context: Context) -> PipelineRequest:
        """The request that this try, or an earlier one of the same round, sends; saved before that."""
        # A retry keeps ``max_tries``; a clear sets it to the tries so far plus the retries. ``clear_number`` of
        # the run changes with a clear of any of its tasks, so it says nothing about this one.
        tries = getattr(context["ti"], "max_tries", 0)
        saved = self.load_state(SUBMISSION)
        if saved and saved["max_tries"] == tries:
            return PipelineRequest(**saved["request"])
        request = self._new_request(context)
        if saved:
            self._end_earlier(self.owned_by(context))
            request = replace(request, first_attempt=self.hook.jobs.free_attempt(request.name))
        clears = getattr(context.get("dag_run"), "clear_number", 0)
        self.save_state(
            SUBMISSION, {"max_tries": tries, "clear_number": clears, "request": request.as_dict()}
        )
        return request

    def _new_request(self, context: Context) -> PipelineRequest:
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
                owner=self.owned_by(context),
                tags=self.leased_by(context, self.lease),
            )
        )
        return replace(request, name=f"{request.name}-{request.fingerprint()}")

    def _end_earlier(self, owner: Mapping[str, str]) -> None:
        """End the job that this task submitted before it was cleared."""
        self.log.info("The task was cleared: it submits anew.")
        for job in self.hook.jobs.owned(owner):
            if job.name.startswith(f"{self.job_name}-") and may_be_canceled(job.status):
                state = self.hook.jobs.end(job.name, owner, CANCEL_SECONDS)
                self.log.info("The earlier job %s is %s.", job.name, state)
