"""Waiting for an endpoint or a deployment in the triggerer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from airflow.triggers.base import BaseTrigger, TriggerEvent

from azure_ml.errors import AzureMLError
from azure_ml.hook import AzureMLHook
from azure_ml.hook._polling import Patience, jittered
from azure_ml.lifecycle.interruption import ENDED_STATES, state_of
from azure_ml.lifecycle.tags import owner_tags
from azure_ml.states import is_active

MIN_POLL_SECONDS: Final = 0.1
MAX_POLL_SECONDS: Final = 120.0

Waited = Literal["endpoint", "deployment"]


class OperationTrigger(BaseTrigger):
    """Looks at an endpoint or a deployment until no operation is under way on it.

    Args:
        endpoint_name: of the endpoint.
        azure_ml_conn_id: Airflow connection of type ``azure_ml``; read in the triggerer, no secret is stored.
        deadline: until when to look, ISO 8601 with a zone; the end of the whole waiting, not of one deferral.
        deployment_name: look at this deployment of the endpoint; empty for the endpoint itself.
        operation: id of the operation that was begun, handed on for the reason of a failure; empty if it was
            somebody else who began it.
        poll_seconds: pause between two looks, from 0.1 to 120, with 20 % of jitter.

    Yields:
        ``{"noun", "operation", "deadline"}`` with ``state`` (``None`` if the resource is gone), or with
        ``late`` when the time is over, or with ``error`` if looking makes no sense any more.
    """

    def __init__(
        self,
        endpoint_name: str,
        azure_ml_conn_id: str,
        deadline: str,
        deployment_name: str = "",
        operation: str = "",
        poll_seconds: float = 15,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.endpoint_name = endpoint_name
        self.azure_ml_conn_id = azure_ml_conn_id
        self.deadline = deadline
        self.deployment_name = deployment_name
        self.operation = operation
        self.poll_seconds = max(MIN_POLL_SECONDS, min(float(poll_seconds), MAX_POLL_SECONDS))

    @property
    def noun(self) -> Waited:
        """What is looked at."""
        return "deployment" if self.deployment_name else "endpoint"

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Import path and arguments: ids only."""
        arguments = {
            "endpoint_name": self.endpoint_name,
            "azure_ml_conn_id": self.azure_ml_conn_id,
            "deadline": self.deadline,
            "deployment_name": self.deployment_name,
            "operation": self.operation,
            "poll_seconds": self.poll_seconds,
        }
        return "azure_ml.triggers.online.OperationTrigger", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Pause, look, pause again: the operation was begun a moment ago.

        The first pause is for Airflow, too: 3.3.2 takes a task for failed that comes back before its scheduler
        has read that it left (``SchedulerJobRunner.process_executor_events``).
        """
        end, hook, patience = datetime.fromisoformat(self.deadline), None, Patience()
        while True:
            await asyncio.sleep(jittered(self.poll_seconds))
            try:
                hook = hook or await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
                state = await asyncio.to_thread(self._look, hook)
                patience.restored()
                if state is None or not is_active(self.noun, state, self.endpoint_name):
                    yield self._event(state=state)
                    return
            except AzureMLError as error:
                if patience.is_over(error, hook):
                    yield self._event(error=str(error))
                    return
                self.log.warning("Look %d at the %s failed: %s", patience.failed_looks, self.noun, error)
            if datetime.now(UTC) >= end:
                yield self._event(late=True)
                return

    async def on_kill(self) -> None:
        """Delete the endpoint if its creation was ended for good; what was cleared finds it again.

        A deployment is left to the deletion of its endpoint, and an endpoint whose creation was marked
        successful to the tasks that go on with it.
        """
        state = await asyncio.to_thread(self._task_state)
        if self.noun == "endpoint" and state in ENDED_STATES and state != "success":
            hook = await AzureMLHook.for_triggerer(self.azure_ml_conn_id)
            ti: Any = self.task_instance
            owner = owner_tags(ti.dag_id, ti.run_id, hook.settings.project)
            outcome = await asyncio.to_thread(hook.endpoints.begin_delete, self.endpoint_name, owner)
            self.log.info("The task has ended as %s: the endpoint %s: %s", state, self.endpoint_name, outcome)

    def _look(self, hook: AzureMLHook) -> str | None:
        if self.deployment_name:
            deployment = hook.deployments.get(self.endpoint_name, self.deployment_name)
            return deployment.state if deployment else None
        endpoint = hook.endpoints.get(self.endpoint_name)
        return endpoint.state if endpoint else None

    def _task_state(self) -> str | None:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        return state_of(self.task_instance, RuntimeTaskInstance.get_task_states)

    def _event(self, **more: Any) -> TriggerEvent:
        told = {"noun": self.noun, "operation": self.operation, "deadline": self.deadline, **more}
        return TriggerEvent(told)  # type: ignore[no-untyped-call]


def deadline_in(seconds: float) -> str:
    """A deadline as the trigger takes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
