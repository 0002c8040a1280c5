"""Operators for online endpoints: reserve, create, delete."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import AzureMLError, BadInput, OperationFailed
from azure_ml.links import STUDIO_KEY, EndpointLink
from azure_ml.operators.base import AzureMLOperator, names, optional
from azure_ml.operators.compute import require_allowed

if TYPE_CHECKING:
    from airflow.sdk import Context

ENDPOINT_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{1,30}[a-zA-Z0-9]")
"""3 to 32 letters, digits and dashes; the SDK's ``EndpointConfigurations``."""


def require_valid_name(name: str) -> None:
    """Check an endpoint's name.

    Raises:
        BadInput: if the service would refuse it.
    """
    if not ENDPOINT_NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} cannot be the name of an endpoint: it must have 3 to 32 letters, digits or dashes, "
            "begin with a letter and not end with a dash."
        )


class AzureMLReserveEndpointOperator(AzureMLOperator):
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

        AzureMLReserveEndpointOperator(task_id="reserve", endpoint_name="chat-{{ ds_nodash }}")
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
        require_valid_name(self.endpoint_name)
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
        timeout_seconds: how long to wait.

    Returns:
        ``{"endpoint_name": str, "scoring_uri": str, "studio_url": str}``

    Raises:
        NameTaken: if somebody else has an endpoint of that name.
        OperationFailed, OperationTimeout, QuotaExceeded: if it does not come up.

    Example::

        AzureMLCreateEndpointOperator(task_id="create", endpoint_name=reserve.returned("endpoint_name"))
    """

    template_fields = (*AzureMLOperator.template_fields, "endpoint_name", "description", "auth_mode")
    operator_extra_links = (EndpointLink(),)

    def __init__(
        self,
        *,
        endpoint_name: str,
        description: str = "",
        auth_mode: str = "key",
        timeout_seconds: float = 1800,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.description = description
        self.auth_mode = auth_mode
        self.timeout_seconds = timeout_seconds
        self._owner: dict[str, str] = {}

    def execute(self, context: Context) -> dict[str, str]:
        """Create."""
        require_valid_name(self.endpoint_name)
        self._owner = self.owned_by(context)
        page = self.push_studio_url(context, f"/endpoints/realtime/{self.endpoint_name}/detail")
        endpoint = self.hook.endpoints.create(
            self.endpoint_name,
            owner=self._owner,
            description=self.description,
            auth_mode=self.auth_mode,
            timeout_seconds=self.timeout_seconds,
        )
        self.log.info("The endpoint %s is up at %s", endpoint.name, endpoint.scoring_uri)
        return {"endpoint_name": endpoint.name, "scoring_uri": endpoint.scoring_uri, STUDIO_KEY: page}

    def on_kill(self) -> None:
        """Delete what was begun, as far as five seconds allow."""
        self.stop_after(
            lambda: self._owner and self.hook.endpoints.begin_delete(self.endpoint_name, self._owner)
        )


class AzureMLDeleteEndpointOperator(AzureMLOperator):
    """Delete an endpoint with its deployments, and look until it is gone; made to be a teardown.

    Safe to run at any time and any number of times. It waits for operations under way, and never touches an
    endpoint that this Dag run has not made. If the task that creates the endpoint was killed, that task may
    go on for some seconds and create the endpoint behind the teardown's back; then a second look is taken.

    Args:
        endpoint_name: of the endpoint.
        created_by: id of the task that creates it; empty to look only once.
        settle_seconds: pause before the second look.
        timeout_seconds: how long to wait.

    Returns:
        ``{"endpoint_name": str, "exists_after": bool}``; an
        endpoint of that name that belongs to somebody else is left alone, and exists afterwards.

    Raises:
        OperationTimeout: if the endpoint is still there in the end.

    Example::

        AzureMLDeleteEndpointOperator(task_id="delete", endpoint_name="e", created_by="create").as_teardown()
    """

    template_fields = (*AzureMLOperator.template_fields, "endpoint_name")

    def __init__(
        self,
        *,
        endpoint_name: str,
        created_by: str | None = None,
        settle_seconds: float = 20,
        timeout_seconds: float = 3600,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.created_by = created_by
        self.settle_seconds = settle_seconds
        self.timeout_seconds = timeout_seconds

    def execute(self, context: Context) -> dict[str, Any]:
        """Delete, and look."""
        owner = self.owned_by(context)
        outcome = self.hook.endpoints.delete(self.endpoint_name, owner, self.timeout_seconds)
        if self._creator_failed(context):
            self.log.info(
                "%s did not end well: looking again in %.0f s.", self.created_by, self.settle_seconds
            )
            time.sleep(self.settle_seconds)
            second = self.hook.endpoints.delete(self.endpoint_name, owner, self.timeout_seconds)
            outcome = "deleted" if "deleted" in (outcome, second) else second
        exists = self.hook.endpoints.get(self.endpoint_name) is not None
        if exists and outcome != "foreign":
            raise OperationFailed(
                f"The endpoint {self.endpoint_name!r} is there again after its deletion: delete it in Studio."
            )
        self.log.info("Endpoint %s: %s.", self.endpoint_name, outcome)
        return {"endpoint_name": self.endpoint_name, "exists_after": exists}

    def _creator_failed(self, context: Context) -> bool:
        if not self.created_by:
            return False
        dag_id, run_id = context["ti"].dag_id, context["ti"].run_id
        try:
            states = context["ti"].get_task_states(
                dag_id=dag_id, task_ids=[self.created_by], run_ids=[run_id]
            )
        except AzureMLError:
            return True
        return bool(states.get(run_id, {}).get(self.created_by) == "failed")
