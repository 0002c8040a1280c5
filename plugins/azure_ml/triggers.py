"""Waiting for a job in the triggerer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent

from azure_ml.errors import AzureMLError, NoRetry
from azure_ml.hook import AzureMLHook
from azure_ml.states import is_active

MAX_POLL_SECONDS: Final = 300.0
MAX_FAILED_LOOKS: Final = 10
ENDED_STATES: Final = ("failed", "success", "skipped", "removed")


class JobTrigger(BaseTrigger):
    """Looks at a job until it has ended.

    The SDK has no public asynchronous client, so each look is one call in a thread; the triggerer's loop is
    never held.

    Args:
        job_name: of the job.
        azure_ml_conn_id: Airflow connection of type ``azure_ml``; read in the triggerer, no secret is stored.
        poll_seconds: pause between two looks, at most 300, with 20 % of jitter.

    Yields:
        ``{"job_name": str, "status": str}``, or ``{"job_name": str, "error": str}`` if looking makes no
        sense any more.
    """

    def __init__(self, job_name: str, azure_ml_conn_id: str, poll_seconds: float = 30) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.job_name = job_name
        self.azure_ml_conn_id = azure_ml_conn_id
        self.poll_seconds = min(float(poll_seconds), MAX_POLL_SECONDS)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Import path and arguments: ids only."""
        arguments = {
            "job_name": self.job_name,
            "azure_ml_conn_id": self.azure_ml_conn_id,
            "poll_seconds": self.poll_seconds,
        }
        return "azure_ml.triggers.JobTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, pause, look again."""
        hook, failed_looks = None, 0
        while True:
            try:
                hook = hook or await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
                status = await asyncio.to_thread(self._look, hook)
                failed_looks = 0
                if not is_active("job", status, self.job_name):
                    yield _event({"job_name": self.job_name, "status": status})
                    return
            except AzureMLError as error:
                failed_looks += 1
                if isinstance(error, NoRetry) or failed_looks >= MAX_FAILED_LOOKS:
                    yield _event({"job_name": self.job_name, "error": str(error)})
                    return
                self.log.warning("Look %d at the job failed: %s", failed_looks, error)
            await asyncio.sleep(self.poll_seconds * random.uniform(0.8, 1.2))  # noqa: S311

    def _look(self, hook: AzureMLHook) -> str:
        return hook.jobs.status(self.job_name)

    async def on_kill(self) -> None:
        """Cancel the job if the task was ended; one that was cleared will find the job again."""
        if await self._task_ended():
            hook = await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
            await asyncio.to_thread(lambda: hook.jobs.cancel(self.job_name))

    async def _task_ended(self) -> bool:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        ti: Any = self.task_instance
        states = await asyncio.to_thread(
            RuntimeTaskInstance.get_task_states, dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id]
        )
        return states.get(ti.run_id, {}).get(ti.task_id) in ENDED_STATES


def _event(payload: dict[str, str]) -> TriggerEvent:
    return TriggerEvent(payload)  # type: ignore[no-untyped-call]
