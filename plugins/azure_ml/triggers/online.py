"""Waiting for an endpoint or a deployment in the triggerer."""

from __future__ import annotations

import asyncio
from typing import Final

from azure_ml.hook import AzureMLHook
from azure_ml.hook.online.operations import Pending
from azure_ml.lifecycle.interruption import ENDED_STATES
from azure_ml.lifecycle.tags import owner_tags
from azure_ml.payload import Payload
from azure_ml.states import is_active
from azure_ml.triggers.base import CheckingTrigger
from azure_ml.triggers.event import Event, Outcome

MIN_POLL_SECONDS: Final = 0.1
MAX_POLL_SECONDS: Final = 120.0


class OperationTrigger(CheckingTrigger):
    """Checks an endpoint or a deployment until no operation is under way on it."""

    def __init__(
        self,
        endpoint_name: str,
        azure_ml_conn_id: str,
        deadline: float,  # of the whole wait
        deployment_name: str = "",  # empty: the endpoint itself
        operation: str = "",  # path of the operation that the task began, for the reason of a failure
        poll_seconds: float = 15,  # from 0.1 to 120
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.endpoint_name = endpoint_name
        self.azure_ml_conn_id = azure_ml_conn_id
        self.deadline = deadline
        self.deployment_name = deployment_name
        self.operation = operation
        self.poll_seconds = max(MIN_POLL_SECONDS, min(float(poll_seconds), MAX_POLL_SECONDS))

    @property
    def pending(self) -> Pending:
        """The operation that has to end."""
        return Pending(self.endpoint_name, self.deployment_name, self.operation)

    def serialize(self) -> tuple[str, Payload]:
        """Import path and arguments: ids and moments only."""
        arguments: Payload = {
            "endpoint_name": self.endpoint_name,
            "azure_ml_conn_id": self.azure_ml_conn_id,
            "deadline": self.deadline,
            "deployment_name": self.deployment_name,
            "operation": self.operation,
            "poll_seconds": self.poll_seconds,
        }
        return "azure_ml.triggers.online.OperationTrigger", arguments

    async def _event(self) -> Event:
        # Airflow 3.3.2 takes a task for failed that comes back before its scheduler has read that it left
        # (``SchedulerJobRunner.process_executor_events``); and the operation began a moment ago.
        await asyncio.sleep(self._pause())
        return await super()._event()

    def check(self, hook: AzureMLHook) -> bool:
        """Whether no operation is under way."""
        self.status = hook.operations.state(self.pending)
        return self.status is None or not is_active(self.pending.noun, self.status, self.endpoint_name)

    def event(self, outcome: Outcome, *, error: str = "", kind: str = "") -> Event:
        """The event for an outcome."""
        return Event(
            outcome,
            self.endpoint_name,
            self.deployment_name,
            state=self.status,
            operation=self.operation,
            deadline=self.deadline,
            error=error,
            kind=kind,
        )

    async def on_kill(self) -> None:
        """Delete the endpoint if its creation was ended for good; a task that was cleared finds it again."""
        state, task = await self.task_state(), self.task_instance
        # A deployment goes with its endpoint. An endpoint whose creation was marked successful belongs to the
        # tasks that go on with it.
        if self.deployment_name or task is None or state not in ENDED_STATES or state == "success":
            return
        hook = await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
        owner = owner_tags(task.dag_id, task.run_id, hook.settings.project)
        outcome = await asyncio.to_thread(hook.endpoints.begin_delete, self.endpoint_name, owner)
        self.log.info("The task has ended as %s: the endpoint %s: %s", state, self.endpoint_name, outcome)
