"""Operators for deployments: deploy a model, ask it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import (
    AzureMLError,
    OperationFailed,
    OperationTimeout,
    QuotaExceeded,
    ServiceFailure,
)
from azure_ml.hook.online.entities import DeploymentRequest
from azure_ml.lifecycle.tags import ENDPOINT_LEASE
from azure_ml.links import LOG_KEY, STUDIO_KEY, DeploymentLogLink, EndpointLink, log_page
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, deferred, names
from azure_ml.operators.compute import require_allowed
from azure_ml.operators.waiting import reason_of, wait_elsewhere

if TYPE_CHECKING:
    from airflow.sdk import Context


LAST_LINES: Final = 60


class AzureMLDeployModelOperator(AzureMLOperator):
    """Deploy a registered MLflow model to an endpoint, wait until it answers, and send it all traffic.

    A retry waits for the deployment that the first try began, and never makes a second one. What does not
    come up has its containers' logs saved, in the task log and in the workspace, before anybody deletes it.

    Args:
        endpoint_name: of the endpoint.
        deployment_name: of the deployment.
        model_id: ARM id of the model version.
        instance_type: VM size.
        instance_count: machines.
        allowed_instance_types: the model's allow-list; empty if it has none.
        liveness_initial_delay_seconds: before the first probe; a model that loads longer is killed in a loop.
        request_timeout_ms: longest time of one answer, milliseconds.
        lease: how long the deployment may live; after that the reaper may delete it, unless its run is alive.
        deferrable: wait in the triggerer, holding no worker; empty for Airflow's default.
        poll_seconds: pause between two looks of the triggerer.
        timeout_seconds: how long to wait for the deployment.

    Returns:
        ``{"endpoint_name": str, "deployment_name": str, "studio_url": str}``; after a failure, the XCom
        ``deployment_log_uri`` has the address of the saved log.

    Raises:
        BadInput: if the instance type or a name is not allowed.
        NameTaken: if somebody else has a deployment of that name.
        OperationFailed, OperationTimeout, QuotaExceeded: with the container's last lines, if it does not come
            up.

    Example::

        AzureMLDeployModelOperator(
            task_id="deploy", endpoint_name="e", deployment_name="demo", model_id=register.returned("id"),
            instance_type="Standard_NC6s_v3",
        )
    """

    template_fields = (
        *AzureMLOperator.template_fields,
        "endpoint_name",
        "deployment_name",
        "model_id",
        "instance_type",
        "instance_count",
        "allowed_instance_types",
        "deferrable",
    )
    operator_extra_links = (EndpointLink(), DeploymentLogLink())

    def __init__(
        self,
        *,
        endpoint_name: str,
        deployment_name: str,
        model_id: str,
        instance_type: str,
        instance_count: int | str = 1,
        allowed_instance_types: Sequence[str] | str | None = None,
        liveness_initial_delay_seconds: int = 600,
        request_timeout_ms: int = 90_000,
        lease: timedelta = ENDPOINT_LEASE,
        deferrable: bool | str | None = None,
        poll_seconds: float = 15,
        timeout_seconds: float = 5400,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.deployment_name = deployment_name
        self.model_id = model_id
        self.instance_type = instance_type
        self.instance_count = instance_count
        self.allowed_instance_types = allowed_instance_types
        self.liveness_initial_delay_seconds = liveness_initial_delay_seconds
        self.request_timeout_ms = request_timeout_ms
        self.lease = lease
        self.deferrable = deferrable
        self.poll_seconds = poll_seconds
        self.timeout_seconds = timeout_seconds

    def execute(self, context: Context) -> dict[str, str]:
        """Deploy, and wait here or in the triggerer."""
        require_name("endpoint", self.endpoint_name)
        require_name("deployment", self.deployment_name)
        require_allowed(self.instance_type, names(self.allowed_instance_types), "deployment")
        self.push_studio_url(context, self._page)
        if deferred(self.deferrable):
            return self._go_on(context, None)
        request = self._request(context)
        with self._logs_saved(context):
            self.hook.deployments.create(request, self.timeout_seconds)
        self.hook.endpoints.send_all_traffic(request.endpoint, request.name, self.timeout_seconds)
        return self._result()

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> dict[str, str]:
        """Take up where the trigger has seen an operation's end: the deployment's, or the traffic's."""
        told, request = event or {}, self._request(context)
        with self._logs_saved(context):
            reason = reason_of(self.hook, event, request.action)
            if told.get("operation") and told.get("noun") == "deployment":
                self.hook.deployments.require_up(request, reason)
        if told.get("operation") and told.get("noun") == "endpoint":
            self.hook.endpoints.require_up(self.endpoint_name, reason)
        return self._go_on(context, event)

    def on_kill(self) -> None:
        """Leave at once; the next try finds the deployment, and the endpoint's deletion takes it along."""
        self.stop_after(lambda: None)

    @property
    def _page(self) -> str:
        return f"/endpoints/realtime/{self.endpoint_name}/detail"

    def _request(self, context: Context) -> DeploymentRequest:
        return DeploymentRequest(
            endpoint=self.endpoint_name,
            name=self.deployment_name,
            model=self.model_id,
            instance_type=self.instance_type,
            instance_count=int(self.instance_count),
            request_timeout_ms=self.request_timeout_ms,
            liveness_initial_delay_seconds=self.liveness_initial_delay_seconds,
            owner=self.owned_by(context),
            tags=self.leased_by(context, self.lease),
        )

    def _go_on(self, context: Context, event: dict[str, Any] | None) -> dict[str, str]:
        """Begin what comes next, and wait for it in the triggerer, until there is nothing left to begin."""
        operation = self.hook.deployments.begin_create(self._request(context))
        if operation is not None:
            wait_elsewhere(
                self,
                event,
                endpoint_name=self.endpoint_name,
                deployment_name=self.deployment_name,
                operation=operation,
            )
        operation = self.hook.endpoints.begin_traffic(self.endpoint_name, self.deployment_name)
        if operation is not None:
            wait_elsewhere(self, event, endpoint_name=self.endpoint_name, operation=operation)
        return self._result()

    @contextmanager
    def _logs_saved(self, context: Context) -> Iterator[None]:
        """Save the containers' logs if the block fails, in this task: nobody deletes before it has ended."""
        try:
            yield
        except (OperationFailed, OperationTimeout, QuotaExceeded, ServiceFailure) as error:
            if self.hook.deployments.get(self.endpoint_name, self.deployment_name) is None:
                raise
            raise type(error)(f"{error}\n{self._save_log(context)}") from error

    def _save_log(self, context: Context) -> str:
        """Put the log where it stays; returns what to tell of it."""
        ti = context["ti"]
        try:
            uri, content = self.hook.deployments.save_log(
                self.endpoint_name, self.deployment_name, int(getattr(ti, "try_number", 1) or 1)
            )
        except AzureMLError as error:
            return f"The container's log could not be saved: {error}"
        for line in content.splitlines():
            self.log.info("[%s] %s", self.deployment_name, line)
        ti.xcom_push(key="deployment_log_uri", value=uri)
        ti.xcom_push(key=LOG_KEY, value=self.studio_url(log_page(uri)))
        tail = "\n".join(content.splitlines()[-LAST_LINES:])
        return f"The container's last lines (all of them are at {uri}):\n{tail}"

    def _result(self) -> dict[str, str]:
        self.log.info(
            "The deployment %s of %s answers and gets all traffic.", self.deployment_name, self.endpoint_name
        )
        return {
            "endpoint_name": self.endpoint_name,
            "deployment_name": self.deployment_name,
            STUDIO_KEY: self.studio_url(self._page),
        }
