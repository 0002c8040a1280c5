"""The operator that waits for a job: on a worker, or in the triggerer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

from azure_ml import errors
from azure_ml.hook.jobs.budgets import QUEUE_TIMEOUT, RUN_TIMEOUT, Budgets
from azure_ml.hook.jobs.calls import PipelineRequest
from azure_ml.hook.jobs.lines import Shown
from azure_ml.links import JobLink
from azure_ml.operators.base import deferred
from azure_ml.operators.durable import DurableOperator
from azure_ml.operators.job_end import require_completed
from azure_ml.states import is_active, is_success
from azure_ml.triggers.jobs import JobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from azure_ml.hook.jobs.logs import Step

WAITING: Final = "waiting"
LOG: Final = "log"
CANCEL_SECONDS: Final = 300.0
"""How long the end of a job that was canceled is waited for."""
MARGIN: Final = timedelta(minutes=15)
"""After the trigger's own deadline, in case that no triggerer runs just then."""


class AzureMLWaitForJobOperator(DurableOperator):
    """Wait for a job, with its log and that of each step in the task log, and require that it completes.

    Every line is shown once, also across deferral, retries and a worker's crash; only the megabyte, or the
    few seconds, between showing and noting it can be repeated after a crash.

    Args:
        job_name: of the job.
        request: what was submitted, as the submitting operator returns it. With it, a retry after a failure
            that may pass (preemption, capacity, throttling, a failure of the platform) submits a new job.
        deferrable: wait in the triggerer, holding no worker; ``None``: as ``[operators] default_deferrable``.
        poll_seconds: pause between two looks at a deferred job.
        log_every_seconds: how often a deferred task comes back to a worker to show the log's new lines and
            to look at the budgets.
        queue_timeout: how long the job's steps may wait for nodes; a time span, or a number of hours.
        run_timeout: how long the job may take besides; a time span, or a number of hours. Set no
            ``execution_timeout`` below the two: it ends the waiting, not the job.

    Returns:
        ``{"job_name": str, "status": "Completed"}``; the job's name is that of the last one submitted.

    Raises:
        JobFailed: with the failed step, the cause, the cure and its last lines.
        JobQueuedTooLong, JobRanTooLong: after the job was canceled and has ended.
        JobCanceled, JobPaused, JobNotResponding, UnknownState: for every other end.

    Example::

        AzureMLWaitForJobOperator(
            task_id="wait", job_name=submit.returned("job_name"), request=submit.returned("request")
        )
    """

    template_fields: Sequence[str] = (
        *DurableOperator.template_fields,
        "job_name",
        "request",
        "deferrable",
        "queue_timeout",
        "run_timeout",
    )
    operator_extra_links = (JobLink(),)

    def __init__(
        self,
        *,
        job_name: str,
        request: Mapping[str, Any] | None = None,
        deferrable: bool | str | None = None,
        poll_seconds: float = 30,
        log_every_seconds: float = 300,
        queue_timeout: timedelta | str | float = QUEUE_TIMEOUT,
        run_timeout: timedelta | str | float = RUN_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.request = request
        self.deferrable = deferrable
        self.poll_seconds = poll_seconds
        self.log_every_seconds = log_every_seconds
        self.queue_timeout = queue_timeout
        self.run_timeout = run_timeout

    def execute(self, context: Context) -> dict[str, str]:
        """Wait here, or defer."""
        self.remember(context)
        name = self._current_job()
        self.push_studio_url(context, f"/runs/{name}")
        if deferred(self.deferrable):
            return self._come_by(name)
        self._next_heartbeat = 0.0
        self.hook.logs.stream(
            name,
            self.log.info,
            shown=self._shown(name),
            note=self._note,
            watch=lambda s: self._watch(name, s),
        )
        return self._result(name)

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, str]:
        """Take up where the trigger has seen something; an error of the trigger's is raised here."""
        self.remember(context)
        if event and event.get("error"):
            kind = getattr(errors, str(event.get("kind")), errors.ServiceFailure)
            raise kind(str(event["error"]))
        return self._come_by(self._noted_job())

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Also where the trigger failed, or timed out because no triggerer ran: the job is left, if it may run.

        Raises:
            JobQueuedTooLong, JobRanTooLong: if a budget is over, after the job has ended.
            TaskDeferralError: if the trigger failed; a retry finds the job.
        """
        if next_method == "__fail__":
            self.remember(context)
            name = self._noted_job()
            status = self.hook.jobs.status(name)
            if is_active("job", status, name):
                self._check_budgets(name, status, self.hook.logs.steps(name))
            if str((next_kwargs or {}).get("error")) == "Trigger timeout":
                self.log.warning("No triggerer has looked at the job %s in time: waiting goes on.", name)
                return self._come_by(name)
        return super().resume_execution(next_method, next_kwargs, context)

    def on_kill(self) -> None:
        """Cancel the job if somebody has ended the task; leave it where the next try will find it."""
        self.leave(lambda: self.hook.jobs.cancel(self._noted_job()))

    def _noted_job(self) -> str:
        return str(self.noted(WAITING).get("job_name") or self.job_name)

    def _current_job(self) -> str:
        """The job to wait for: the one noted, or a new one if that failed for a cause that may pass."""
        noted = self.noted(WAITING)
        if noted.get("submitted") != self.job_name:
            noted = {"submitted": self.job_name, "job_name": self.job_name, "failed": False}
        elif noted["failed"] and self.request:
            job, new = self.hook.jobs.submit(PipelineRequest(**self.request))
            if new:
                self.log.info("Submitted job %s in place of %s.", job.name, noted["job_name"])
            noted = {**noted, "job_name": job.name, "failed": False}
        self.note(WAITING, noted)
        return str(noted["job_name"])

    def _shown(self, name: str) -> Shown:
        return Shown.of(name, self.noted(LOG))

    def _note(self, shown: Shown) -> None:
        self.note(LOG, shown.as_dict())

    def _budgets(self) -> Budgets:
        return Budgets.of(self.queue_timeout, self.run_timeout)

    def _watch(self, name: str, steps: list[Step]) -> None:
        """On a worker: keep the budgets, and say now and then where the job stands."""
        if time.monotonic() >= self._next_heartbeat:
            left = self._check_budgets(name, self.hook.jobs.status(name), steps)
            self._next_heartbeat = time.monotonic() + min(self.log_every_seconds, max(1.0, left))

    def _check_budgets(self, name: str, status: str, steps: list[Step]) -> float:
        """Say where the job stands; returns the seconds that are left of the budget in use.

        Raises:
            JobQueuedTooLong, JobRanTooLong: if it is over, after the job has ended, or was given five minutes to.
        """
        budgets, used = self._budgets(), self.hook.logs.usage(name, steps)
        self.log.info(budgets.heartbeat(name, status, used))
        over = budgets.spent(name, used) if is_active("job", status, name) else None
        if over is not None:
            try:
                ended = self.hook.jobs.end(name, CANCEL_SECONDS)
            except errors.OperationTimeout as error:
                self.log.warning("The job was canceled but may still run: %s", error)
                raise over from error
            self.log.info("The job %s was canceled and is %s.", name, ended)
            if not is_success("job", ended, name):
                raise over
        return budgets.left(used).total_seconds()

    def _come_by(self, name: str) -> dict[str, str]:
        """Deferred: show the log's new lines, keep the budgets, and defer again unless the job has ended."""
        left = self._look(name)
        if left is not None:
            self._defer(name, max(1.0, left))
        return self._result(name)

    def _look(self, name: str) -> float | None:
        """The seconds that are left; ``None`` if the job has ended."""
        shown = self._shown(name)
        try:
            steps = self.hook.logs.pump(name, self.log.info, shown=shown, note=self._note, whole=True)
            status = self.hook.jobs.status(name)
            if is_active("job", status, name):
                return self._check_budgets(name, status, steps)
            # What was written between the two looks.
            self.hook.logs.pump(name, self.log.info, shown=shown, note=self._note, whole=True)
        except errors.AzureMLError as error:
            if isinstance(error, (errors.NoRetry, errors.JobNotCompleted)):
                raise
            self.log.warning("The job cannot be looked at now; the triggerer goes on: %s", error)
            return self.log_every_seconds
        return None

    def _defer(self, name: str, left: float) -> NoReturn:
        now = time.time()
        trigger = JobTrigger(
            name,
            self.azure_ml_conn_id,
            self.poll_seconds,
            deadline=now + left,
            wake_at=now + min(left, self.log_every_seconds),
        )
        self.defer(trigger=trigger, method_name="execute_complete", timeout=timedelta(seconds=left) + MARGIN)

    def _result(self, name: str) -> dict[str, str]:
        status = self.hook.jobs.status(name)
        try:
            require_completed(self.hook, name, status)
        except errors.JobInterrupted:
            self.note(WAITING, {**self.noted(WAITING), "failed": True})
            raise
        except errors.JobNotResponding:
            self.hook.jobs.cancel(name)
            raise
        return {"job_name": name, "status": status}
