"""Operators for online endpoints: reserve, create, delete."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azure_ml.errors import OperationFailed
from azure_ml.hook.online.entities import NewEndpoint
from azure_ml.lifecycle.tags import ENDPOINT_LEASE
from azure_ml.links import STUDIO_KEY, EndpointLink
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, deferred, names, optional
from azure_ml.operators.compute import require_allowed
from azure_ml.operators.ownership import SETTLE_SECONDS, second_look_due
from azure_ml.operators.waiting import reason_of, wait_elsewhere

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLCheckEndpointNameOperator(AzureMLOperator):
    """Check an endpoint's name and its later instance type before anything is paid for; creates nothing.

    Args:
        endpoint_name: derive it from the run, so that whoever cleans up finds it.
        instance_type: VM size of the later deployment; empty to leave it unchecked.
        allowed_instance_types: the model's allow-list; empty if it has none.

    Returns:
        ``{"endpoint_name": str}``

    Raises:
        BadInput: if the name or the instance type is not allowed.
        NameTaken: if somebody else has an endpoint of that name.

    Example::

        AzureMLCheckEndpointNameOperator(task_id="reserve", endpoint_name="chat-{{ ds_nodash }}")
    """

    template_fields = (
        *AzureMLOperator.template_fields,
        "endpoint_name",
        "instance_type",
        "allowed_instance_types",
    )

    def __init__(
        self,
        *,
        endpoint_name: str,
        instance_type: str | None = None,
        allowed_instance_types: Sequence[str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.instance_type = instance_type
        self.allowed_instance_types = allowed_instance_types

    def execute(self, context: Context) -> dict[str, str]:
        """Look."""
        require_name("endpoint", self.endpoint_name)
        if instance_type := optional(self.instance_type):
            require_allowed(instance_type, names(self.allowed_instance_types), "deployment")
        self.hook.endpoints.require_free(self.endpoint_name, self.owned_by(context))
        self.log.info("The endpoint name %s is free.", self.endpoint_name)
        return {"endpoint_name": self.endpoint_name}


class AzureMLCreateEndpointOperator(AzureMLOperator):
    """Create an online endpoint and wait for it; a retry waits for the one that the first try began.

    Args:
        endpoint_name: of the endpoint.
        description: shown in Studio.
        auth_mode: ``key`` or ``aad_token``.
        lease: how long the endpoint may live; after that the reaper may delete it, unless its run is alive.
        deferrable: wait in the triggerer, holding no worker; empty for Airflow's default.
        poll_seconds: pause between two looks of the triggerer.
        timeout_seconds: how long to wait.

    Returns:
        ``{"endpoint_name": str, "scoring_uri": str, "studio_url": str}``

    Raises:
        NameTaken: if somebody else has an endpoint of that name.
        OperationFailed, OperationTimeout, QuotaExceeded: if it does not come up.

    Example::

        AzureMLCreateEndpointOperator(task_id="create", endpoint_name=reserve.returned("endpoint_name"))
    """

    template_fields = (
        *AzureMLOperator.template_fields,
        "endpoint_name",
        "description",
        "auth_mode",
        "deferrable",
    )
    operator_extra_links = (EndpointLink(),)

    def __init__(
        self,
        *,
        endpoint_name: str,
        description: str = "",
        auth_mode: str = "key",
        lease: timedelta = ENDPOINT_LEASE,
        deferrable: bool | str | None = None,
        poll_seconds: float = 15,
        timeout_seconds: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.description = description
        self.auth_mode = auth_mode
        self.lease = lease
        self.deferrable = deferrable
        self.poll_seconds = poll_seconds
        self.timeout_seconds = timeout_seconds
        self._owner: dict[str, str] = {}

    def execute(self, context: Context) -> dict[str, str]:
        """Create, and wait here or in the triggerer."""
        wanted = self._wanted(context)
        self.push_studio_url(context, self._page)
        if deferred(self.deferrable):
            return self._go_on(wanted, None)
        self.hook.endpoints.create(wanted, self.timeout_seconds)
        return self._result()

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, str]:
        """Take up where the trigger has seen the operation's end."""
        wanted, reason = self._wanted(context), reason_of(self.hook, event, "create the endpoint")
        if event and event.get("operation"):
            self.hook.endpoints.require_up(self.endpoint_name, reason)
        return self._go_on(wanted, event)

    def on_kill(self) -> None:
        """Delete what was begun if somebody ended the task; otherwise the next try finds it."""

        def undo() -> None:
            if self._owner and self.ended_by_a_person():
                self.hook.endpoints.begin_delete(self.endpoint_name, self._owner)

        self.stop_after(undo)

    @property
    def _page(self) -> str:
        return f"/endpoints/realtime/{self.endpoint_name}/detail"

    def _wanted(self, context: Context) -> NewEndpoint:
        require_name("endpoint", self.endpoint_name)
        self.watch_for_kill(context)
        self._owner = self.owned_by(context)
        return NewEndpoint(
            name=self.endpoint_name,
            owner=self._owner,
            tags=self.leased_by(context, self.lease),
            description=self.description,
            auth_mode=self.auth_mode,
        )

    def _go_on(self, wanted: NewEndpoint, event: dict[str, Any] | None) -> dict[str, str]:
        operation = self.hook.endpoints.begin_create(wanted)
        if operation is not None:
            wait_elsewhere(self, event, endpoint_name=self.endpoint_name, operation=operation)
        return self._result()

    def _result(self) -> dict[str, str]:
        endpoint = self.hook.endpoints.require_up(self.endpoint_name)
        self.log.info("The endpoint %s is up at %s", endpoint.name, endpoint.scoring_uri)
        return {
            "endpoint_name": endpoint.name,
            "scoring_uri": endpoint.scoring_uri,
            STUDIO_KEY: self.studio_url(self._page),
        }


class AzureMLDeleteEndpointOperator(AzureMLOperator):
    """Delete an endpoint with its deployments, and look until it is gone; made to be a teardown.

    Safe to run at any time and any number of times. It waits for operations under way, and never touches an
    endpoint that this Dag run has not made. If a task that creates or changes the endpoint was killed, that
    task may go on for some seconds and create the endpoint behind the teardown's back; then a second look is
    taken.

    Args:
        endpoint_name: of the endpoint.
        created_by: ids of the tasks that create or change it; empty to look only once.
        settle_seconds: pause before the second look.
        timeout_seconds: how long to wait.
        sleep: how to pause.

    Returns:
        ``{"endpoint_name": str, "exists_after": bool}``; an
        endpoint of that name that belongs to somebody else is left alone, and exists afterwards.

    Raises:
        OperationTimeout: if the endpoint is still there in the end.

    Example::

        AzureMLDeleteEndpointOperator(task_id="delete", endpoint_name="e", created_by=["create"]).as_teardown()
    """

    template_fields = (*AzureMLOperator.template_fields, "endpoint_name")

    def __init__(
        self,
        *,
        endpoint_name: str,
        created_by: str | Sequence[str] = (),
        settle_seconds: float = SETTLE_SECONDS,
        timeout_seconds: float = 3600,
        sleep: Callable[[float], None] = time.sleep,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.created_by = (created_by,) if isinstance(created_by, str) else tuple(created_by)
        self.settle_seconds = settle_seconds
        self.timeout_seconds = timeout_seconds
        self.sleep = sleep

    def execute(self, context: Context) -> dict[str, Any]:
        """Delete, and look."""
        outcome = self._delete(context)
        if second_look_due(self, context):
            second = self._delete(context)
            outcome = "deleted" if "deleted" in (outcome, second) else second
        exists = self.hook.endpoints.get(self.endpoint_name) is not None
        if exists and outcome != "foreign":
            raise OperationFailed(
                f"The endpoint {self.endpoint_name!r} is there again after its deletion: delete it in Studio."
            )
        self.log.info("Endpoint %s: %s.", self.endpoint_name, outcome)
        return {"endpoint_name": self.endpoint_name, "exists_after": exists}

    def _delete(self, context: Context) -> str:
        owner = self.owned_by(context)
        return self.hook.endpoints.delete(self.endpoint_name, owner, self.timeout_seconds, self.sleep)
