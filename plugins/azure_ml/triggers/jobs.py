"""Waiting for a job in the triggerer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent

from azure_ml.errors import AzureMLError
from azure_ml.hook import AzureMLHook
from azure_ml.hook._polling import Patience, jittered
from azure_ml.lifecycle.interruption import task_ended
from azure_ml.states import is_active

MAX_POLL_SECONDS: Final = 300.0
HEARTBEAT_SECONDS: Final = 60.0
CONFIRM_SECONDS: Final = 20.0
"""Airflow gives ``on_kill`` of a trigger 30 seconds."""


class JobTrigger(BaseTrigger):
    """Looks at a job until it has ended, a deadline has come, or the task should show the log.

    The SDK has no public asynchronous client, so each look is one call in a thread; the triggerer's loop is
    never held. The deadline is a moment and not a span, so a restarted triggerer does not begin again.

    Args:
        job_name: of the job.
        azure_ml_conn_id: Airflow connection of type ``azure_ml``; read in the triggerer, no secret is stored.
        poll_seconds: pause between two looks, at most 300, with 20 % of jitter.
        deadline: when a budget may be over, in seconds since 1970; ``None`` for never.
        wake_at: when a worker should show the log's new lines, in seconds since 1970; ``None`` for never.

    Yields:
        ``{"job_name": str, "status": str, "why": "ended" | "deadline" | "progress"}``, or
        ``{"job_name": str, "error": str, "kind": str}`` if looking makes no sense any more; ``kind`` is the
        name of a class of :mod:`azure_ml.errors`.
    """

    def __init__(
        self,
        job_name: str,
        azure_ml_conn_id: str,
        poll_seconds: float = 30,
        deadline: float | None = None,
        wake_at: float | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.job_name = job_name
        self.azure_ml_conn_id = azure_ml_conn_id
        self.poll_seconds = min(float(poll_seconds), MAX_POLL_SECONDS)
        self.deadline = deadline
        self.wake_at = wake_at

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Import path and arguments: ids and times only."""
        arguments = {
            "job_name": self.job_name,
            "azure_ml_conn_id": self.azure_ml_conn_id,
            "poll_seconds": self.poll_seconds,
            "deadline": self.deadline,
            "wake_at": self.wake_at,
        }
        return "azure_ml.triggers.jobs.JobTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, pause, look again."""
        hook, status, patience, spoken = None, "not looked at yet", Patience(), 0.0
        while True:
            try:
                hook = hook or await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
                status = await asyncio.to_thread(hook.jobs.status, self.job_name)
                patience.restored()
                if not is_active("job", status, self.job_name):
                    yield self._event(status=status, why="ended")
                    return
            except AzureMLError as error:
                if patience.is_over(error, hook):
                    yield self._event(error=str(error), kind=type(error).__name__)
                    return
                self.log.warning("Look %d at the job failed: %s", patience.failed_looks, error)
            if why := self._due():
                yield self._event(status=status, why=why)
                return
            if time.monotonic() - spoken >= HEARTBEAT_SECONDS:
                spoken = time.monotonic()
                self.log.info("Job %s is %s; %s.", self.job_name, status, self._remaining())
            await asyncio.sleep(self._pause())

    async def on_kill(self) -> None:
        """Cancel the job if the task was ended, and look until it has; one that was cleared finds it again."""
        if not await asyncio.to_thread(self._task_ended):
            self.log.info("The task will be tried again: the job %s is left running.", self.job_name)
            return
        hook = await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
        try:
            status = await asyncio.to_thread(hook.jobs.end, self.job_name, CONFIRM_SECONDS)
            self.log.info("The task was ended by somebody: the job %s is %s.", self.job_name, status)
        except AzureMLError as error:
            self.log.warning("The task was ended, but its job may still run: %s", error)

    def _task_ended(self) -> bool:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        return task_ended(self.task_instance, RuntimeTaskInstance.get_task_states)

    def _due(self) -> str | None:
        now = time.time()
        if self.deadline is not None and now >= self.deadline:
            return "deadline"
        return "progress" if self.wake_at is not None and now >= self.wake_at else None

    def _remaining(self) -> str:
        if self.deadline is None:
            return "no deadline"
        return f"{max(0, round(self.deadline - time.time()))} s are left of the budget in use"

    def _pause(self) -> float:
        """The usual pause with its jitter, but no longer than until something is due."""
        usual = jittered(self.poll_seconds)
        moments = [moment for moment in (self.deadline, self.wake_at) if moment is not None]
        return max(0.0, min([usual, *(moment - time.time() for moment in moments)]))

    def _event(self, **payload: str) -> TriggerEvent:
        return TriggerEvent({"job_name": self.job_name, **payload})  # type: ignore[no-untyped-call]
