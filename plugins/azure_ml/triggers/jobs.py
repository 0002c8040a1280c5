"""Waiting for a job in the triggerer."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from azure_ml.errors import AzureMLError
from azure_ml.hook import AzureMLHook
from azure_ml.lifecycle.interruption import ENDED_STATES
from azure_ml.lifecycle.tags import owner_tags
from azure_ml.payload import Payload
from azure_ml.states import is_active
from azure_ml.triggers.base import CheckingTrigger
from azure_ml.triggers.event import Event, Outcome

MAX_POLL_SECONDS: Final = 300.0
HEARTBEAT_SECONDS: Final = 60.0
CONFIRM_SECONDS: Final = 20.0  # Airflow gives ``on_kill`` of a trigger 30


class JobTrigger(CheckingTrigger):
    """Checks a job until it has ended, a deadline has come, or the task should show the log."""

    def __init__(
        self,
        job_name: str,
        azure_ml_conn_id: str,
        poll_seconds: float = 30,  # at most 300
        deadline: float | None = None,  # moment at which a budget may be over
        wake_at: float | None = None,  # moment at which a worker should show the log's new lines
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.job_name = job_name
        self.azure_ml_conn_id = azure_ml_conn_id
        self.poll_seconds = min(float(poll_seconds), MAX_POLL_SECONDS)
        self.deadline = deadline
        self.wake_at = wake_at
        self._logged_at = 0.0

    def serialize(self) -> tuple[str, Payload]:
        """Import path and arguments: ids and moments only."""
        arguments: Payload = {
            "job_name": self.job_name,
            "azure_ml_conn_id": self.azure_ml_conn_id,
            "poll_seconds": self.poll_seconds,
            "deadline": self.deadline,
            "wake_at": self.wake_at,
        }
        return "azure_ml.triggers.jobs.JobTrigger", arguments

    def check(self, hook: AzureMLHook) -> bool:
        """Whether the job has ended."""
        self.status = hook.jobs.status(self.job_name)
        return not is_active("job", self.status, self.job_name)

    def event(self, outcome: Outcome, *, error: str = "", kind: str = "") -> Event:
        """The event for an outcome."""
        state, deadline = self.status, self.deadline
        return Event(outcome, self.job_name, state=state, deadline=deadline, error=error, kind=kind)

    async def on_kill(self) -> None:
        """Cancel the job if the task was ended; a task that was cleared finds its job again."""
        task = self.task_instance
        if task is None or await self.task_state() not in ENDED_STATES:
            self.log.info("The task will be tried again: the job %s is left running.", self.job_name)
            return
        hook = await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
        owner = owner_tags(task.dag_id, task.run_id, hook.settings.project)
        try:
            status = await asyncio.to_thread(hook.jobs.end, self.job_name, owner, CONFIRM_SECONDS)
            self.log.info("The task was ended by somebody: the job %s is %s.", self.job_name, status)
        except AzureMLError as error:
            self.log.warning("The task was ended, but its job may still run: %s", error)

    def _due(self) -> Outcome | None:
        if self.wake_at is not None and time.time() >= self.wake_at:
            return super()._due() or "progress"
        return super()._due()

    def _log_state(self) -> None:
        if time.monotonic() - self._logged_at >= HEARTBEAT_SECONDS:
            self._logged_at = time.monotonic()
            self.log.info("Job %s is %s; %s.", self.job_name, self.status or "unknown", self._remaining())

    def _remaining(self) -> str:
        if self.deadline is None:
            return "no deadline"
        return f"{max(0, round(self.deadline - time.time()))} s are left of the budget in use"

    def _pause(self) -> float:
        """The usual pause, but no longer than until something is due."""
        moments = [moment for moment in (self.deadline, self.wake_at) if moment is not None]
        return max(0.0, min([super()._pause(), *(moment - time.time() for moment in moments)]))
