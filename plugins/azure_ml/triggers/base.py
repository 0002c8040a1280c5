"""What both triggers share: check, pause, check again, in the triggerer's one event loop."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator

from airflow.triggers.base import BaseTrigger, TriggerEvent

from azure_ml.backoff import FailureBudget, jittered
from azure_ml.errors import AuthFailed, AzureMLError
from azure_ml.hook import AzureMLHook
from azure_ml.lifecycle.interruption import TaskKey, state_of
from azure_ml.triggers.event import Event, Outcome


class CheckingTrigger(BaseTrigger):
    """Checks something until it has settled, a deadline has come, or checking makes no sense any more."""

    azure_ml_conn_id: str
    poll_seconds: float
    deadline: float | None
    status: str | None = None  # the last one seen

    @abstractmethod
    def check(self, hook: AzureMLHook) -> bool:
        """Read ``status``, in a thread: the SDK has no public asynchronous client; returns whether it settled."""

    @abstractmethod
    def event(self, outcome: Outcome, *, error: str = "", kind: str = "") -> Event:
        """The event for an outcome."""

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one :class:`Event` as JSON."""
        event = await self._event()
        yield TriggerEvent(event.to_json())  # type: ignore[no-untyped-call]

    async def _event(self) -> Event:
        hook, budget = None, FailureBudget()
        while True:
            try:
                # Here and not in a thread: only the event loop may ask for a connection.
                hook = hook or await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
                settled = await asyncio.to_thread(self.check, hook)
                budget.reset()
                if settled:
                    return self.event("ended")
            except AzureMLError as error:
                if budget.is_spent_by(error):
                    return self.event("error", error=str(error), kind=type(error).__name__)
                if hook is not None and isinstance(error, AuthFailed):
                    hook.reauthenticate()
                self.log.warning("Check %d failed: %s", budget.failures, error)
            if outcome := self._due():
                return self.event(outcome)
            self._log_state()
            await asyncio.sleep(self._pause())

    def _due(self) -> Outcome | None:
        """The outcome for which it is time."""
        return "deadline" if self.deadline is not None and time.time() >= self.deadline else None

    def _log_state(self) -> None:
        """Called before each pause."""

    def _pause(self) -> float:
        return jittered(self.poll_seconds)

    async def task_state(self) -> str | None:
        """The state that Airflow holds for the task, for ``on_kill``."""
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        key: TaskKey | None = self.task_instance
        if key is None:
            return None
        return await asyncio.to_thread(state_of, key, RuntimeTaskInstance.get_task_states)
