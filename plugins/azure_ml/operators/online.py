"""What the operators share that create in steps: a worker loops, or the triggerer waits between the steps."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from azure_ml.errors import OperationTimeout, ServiceFailure
from azure_ml.hook.online.advance import Advancing, Spec
from azure_ml.hook.online.operations import Pending
from azure_ml.operators.base import AzureMLOperator
from azure_ml.operators.rendered import deferred
from azure_ml.triggers.event import Event, deadline_in, spelled
from azure_ml.triggers.online import OperationTrigger

S = TypeVar("S", bound=Spec)


class AzureMLOnlineOperator(AzureMLOperator):
    """Base of the operators that create something on an online endpoint."""

    template_fields = (*AzureMLOperator.template_fields, "endpoint_name", "deferrable")

    def __init__(
        self,
        *,
        endpoint_name: str,
        deferrable: bool | str | None = None,  # empty: Airflow's default
        poll_seconds: float = 15,  # between two checks of the triggerer
        timeout_seconds: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.deferrable = deferrable
        self.poll_seconds = poll_seconds
        self.timeout_seconds = timeout_seconds

    @property
    def page(self) -> str:
        """The endpoint's page in Studio."""
        return f"/endpoints/realtime/{self.endpoint_name}/detail"

    def complete(self, noun: Advancing[S], spec: S, event: Event | None) -> None:
        """Create, here or with deferrals; ``event`` is that of the last deferral, of whatever noun."""
        if event is None and not deferred(self.deferrable):
            noun.create(spec, self.timeout_seconds)
            return
        pending = _pending(event, spec.action) if event else None
        is_own = pending is not None and pending.noun == noun.noun
        progress = noun.resume(spec, pending) if pending and is_own else noun.advance(spec)
        if isinstance(progress, Pending):
            self.defer_until_settled(progress, event)

    def defer_until_settled(self, pending: Pending, event: Event | None) -> NoReturn:
        """Leave the worker until no operation is under way; the first deferral sets the deadline of all."""
        deadline = event.deadline if event else None
        trigger = OperationTrigger(
            endpoint_name=pending.endpoint,
            azure_ml_conn_id=self.azure_ml_conn_id,
            deadline=deadline_in(self.timeout_seconds) if deadline is None else deadline,
            deployment_name=pending.deployment,
            operation=pending.operation,
            poll_seconds=self.poll_seconds,
        )
        self.defer(trigger=trigger, method_name="execute_complete")


def _pending(event: Event, action: str) -> Pending:
    """The operation that has ended; raises where the trigger gave up or ran out of time."""
    if event.outcome == "error":
        raise ServiceFailure(event.error)
    if event.outcome == "deadline":
        raise OperationTimeout(
            f"Cannot {action}: it has not ended by {spelled(event.deadline or 0.0)}; look at it in Azure ML "
            "Studio, or allow it more time."
        )
    return Pending(event.name, event.deployment, event.operation)
