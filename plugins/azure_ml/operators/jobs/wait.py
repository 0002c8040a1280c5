"""The operator that waits for a job: on a worker, or in the triggerer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NoReturn

from azure_ml import errors
from azure_ml.hook.jobs.budgets import QUEUE_TIMEOUT, RUN_TIMEOUT, Budgets
from azure_ml.hook.jobs.history import Step
from azure_ml.hook.jobs.logs import LogOffsets
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.links import JobLink
from azure_ml.operators.base import AzureMLOperator, Result
from azure_ml.operators.rendered import deferred
from azure_ml.payload import Payload
from azure_ml.states import is_active, is_success
from azure_ml.triggers.event import Event, deadline_in
from azure_ml.triggers.jobs import JobTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

WAITING: Final = "waiting"
LOG: Final = "log"
# How long the end of a job that was canceled may take.
CANCEL_SECONDS: Final = 300.0
# After the trigger's own deadline, in case that no triggerer runs just then.
MARGIN: Final = timedelta(minutes=15)


class AzureMLWaitForJobOperator(AzureMLOperator):
    """Wait for a job, with its log and that of each step in the task log, and require that it completes.

    It shows every line once, also across deferral, retries and a worker's crash; a crash can repeat only the
    megabyte, or the few seconds, between showing and saving. Set no ``execution_timeout`` below the two budgets:
    it ends the waiting, not the job.

    Returns ``{"job_name": str, "status": "Completed"}``, with the last job submitted; raises a
    :class:`JobNotCompleted` for every other end, over budget only after the job has ended.
    """

    template_fields: Sequence[str] = (
        *AzureMLOperator.template_fields,
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
        request: Payload | None = None,  # from the submitting task: lets a retry pay again
        deferrable: bool | str | None = None,
        poll_seconds: float = 30,  # between two checks of a deferred job
        log_every_seconds: float = 300,  # then a deferred task shows the log and checks the budgets
        queue_timeout: timedelta | str | float = QUEUE_TIMEOUT,  # time span, or hours
        run_timeout: timedelta | str | float = RUN_TIMEOUT,  # time span, or hours
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
        self._next_heartbeat = 0.0

    def execute(self, context: Context) -> Result:
        """Wait here, or defer."""
        self.keep_context(context)
        name = self._current_job(context)
        self.push_studio_url(context, f"/runs/{name}")
        if deferred(self.deferrable):
            return self._check_or_defer(name)
        offsets = LogOffsets.load(name, self.load_state(LOG))
        self.hook.logs.stream(
            name,
            self.log.info,
            offsets=offsets,
            save=self._save_offsets,
            watch=lambda steps: self._watch(name, steps),
        )
        return self._result(name)

    def execute_complete(self, context: Context, event: Payload) -> Result:
        """Go on after the trigger's event; raises the error because of which the trigger gave up."""
        self.keep_context(context)
        seen = Event.from_json(event)
        if seen.outcome == "error":
            raise seen.as_error()
        return self._check_or_defer(self._saved_job())

    def resume_execution(self, next_method: str, next_kwargs: Payload | None, context: Context) -> object:
        """Also called where the trigger failed, or timed out because no triggerer ran; a retry finds the job."""
        if next_method == "__fail__":
            self.keep_context(context)
            name = self._saved_job()
            status = self.hook.jobs.status(name)
            if is_active("job", status, name):
                self._check_budgets(name, status, self.hook.history.steps(name))
            if str((next_kwargs or {}).get("error")) == "Trigger timeout":
                self.log.warning("No triggerer has checked the job %s in time: waiting goes on.", name)
                return self._check_or_defer(name)
        return super().resume_execution(next_method, next_kwargs, context)

    def on_kill(self) -> None:
        """Cancel the job if a user ended the task; otherwise the next try finds it."""
        self.interrupt(lambda: self.hook.jobs.cancel(self._saved_job(), self._owner()))

    def _owner(self) -> dict[str, str]:
        return self.owned_by(self._context) if self._context else {}

    def _saved_job(self) -> str:
        return str(self.load_state(WAITING).get("job_name") or self.job_name)

    def _current_job(self, context: Context) -> str:
        """The job of an earlier try, or a new one if that failed for a cause that may pass."""
        saved = self.load_state(WAITING)
        if saved.get("submitted") != self.job_name:
            saved = {"submitted": self.job_name, "job_name": self.job_name, "failed": False}
        elif saved["failed"] and self.request:
            self.require_teardown(context)
            job, new = self.hook.jobs.submit(PipelineRequest(**self.request))
            if new:
                self.log.info("Submitted job %s in place of %s.", job.name, saved["job_name"])
            saved = {**saved, "job_name": job.name, "failed": False}
        self.save_state(WAITING, saved)
        return str(saved["job_name"])

    def _save_offsets(self, offsets: LogOffsets) -> None:
        self.save_state(LOG, offsets.as_dict())

    def _watch(self, name: str, steps: list[Step]) -> None:
        """On a worker: keep the budgets, and log now and then where the job stands."""
        if time.monotonic() >= self._next_heartbeat:
            left = self._check_budgets(name, self.hook.jobs.status(name), steps)
            self._next_heartbeat = time.monotonic() + min(self.log_every_seconds, max(1.0, left))

    def _check_budgets(self, name: str, status: str, steps: list[Step]) -> float:
        """Log where the job stands; returns the seconds left, or ends the job and raises :class:`JobOverBudget`."""
        budgets = Budgets.of(self.queue_timeout, self.run_timeout)
        used = self.hook.history.usage(name, steps)
        self.log.info(budgets.heartbeat(name, status, used))
        over = budgets.spent(name, used) if is_active("job", status, name) else None
        if over is not None:
            self._end_over_budget(name, over)
        return budgets.left(used).total_seconds()

    def _end_over_budget(self, name: str, over: errors.JobOverBudget) -> None:
        try:
            status = self.hook.jobs.end(name, self._owner(), CANCEL_SECONDS)
        except (errors.OperationTimeout, errors.NameTaken) as error:
            self.log.warning("The job may still run: %s", error)
            raise over from error
        self.log.info("The job %s was canceled and is %s.", name, status)
        # It may have completed just before.
        if not is_success("job", status, name):
            raise over

    def _check_or_defer(self, name: str) -> Result:
        """Deferred: show the log's new lines, keep the budgets, and defer again unless the job has ended."""
        left = self._seconds_left(name)
        if left is not None:
            self._defer(name, max(1.0, left))
        return self._result(name)

    def _seconds_left(self, name: str) -> float | None:
        """The seconds that are left; ``None`` if the job has ended."""
        try:
            steps = self._show_log(name)
            status = self.hook.jobs.status(name)
            if is_active("job", status, name):
                return self._check_budgets(name, status, steps)
            # What the job wrote in between.
            self._show_log(name)
        except errors.AzureMLError as error:
            if isinstance(error, (errors.NoRetry, errors.JobNotCompleted)):
                raise
            self.log.warning("The job cannot be checked now; the triggerer goes on: %s", error)
            return self.log_every_seconds
        return None

    def _show_log(self, name: str) -> list[Step]:
        offsets = LogOffsets.load(name, self.load_state(LOG))
        return self.hook.logs.pump(name, self.log.info, offsets=offsets, save=self._save_offsets, whole=True)

    def _defer(self, name: str, left: float) -> NoReturn:
        trigger = JobTrigger(
            name,
            self.azure_ml_conn_id,
            self.poll_seconds,
            deadline=deadline_in(left),
            wake_at=deadline_in(min(left, self.log_every_seconds)),
        )
        self.defer(trigger=trigger, method_name="execute_complete", timeout=timedelta(seconds=left) + MARGIN)

    def _result(self, name: str) -> Result:
        status = self.hook.jobs.status(name)
        try:
            self.hook.history.require_completed(name, status)
        except errors.JobInterrupted:
            # The next try submits a new job.
            self.save_state(WAITING, {**self.load_state(WAITING), "failed": True})
            raise
        except errors.JobNotResponding as error:
            try:
                self.hook.jobs.cancel(name, self._owner())
            except errors.NameTaken as foreign:
                raise error from foreign
            raise
        return {"job_name": name, "status": status}
