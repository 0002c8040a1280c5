"""Operators for deployments: deploy a model, invoke it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from azure_ml.bounds import LINE, bounded, cut, last_lines
from azure_ml.errors import (
    AzureMLError,
    MalformedAnswer,
    OperationFailed,
    OperationTimeout,
    QuotaExceeded,
    ServiceFailure,
)
from azure_ml.hook.online.entities import DeploymentSpec, TrafficSpec
from azure_ml.lifecycle.tags import ENDPOINT_LEASE
from azure_ml.links import LOG_KEY, STUDIO_KEY, DeploymentLogLink, EndpointLink, log_page
from azure_ml.masking import masked, masked_values
from azure_ml.names import require_name
from azure_ml.operators.base import AzureMLOperator, Result
from azure_ml.operators.online import AzureMLOnlineOperator
from azure_ml.operators.rendered import names, optional, whole
from azure_ml.operators.vm_sizes import require_allowed
from azure_ml.payload import Payload
from azure_ml.triggers.event import Event

if TYPE_CHECKING:
    from airflow.sdk import Context

SHOWN_LINES: Final = 1000
LAST_LINES: Final = 60


class AzureMLDeployModelOperator(AzureMLOnlineOperator):
    """Deploy a registered MLflow model to an endpoint, wait until it answers, and send it all traffic.

    A retry waits for the deployment that the first try began. If it does not come up, the operator saves its
    containers' logs, in the task log and at the address in XCom ``deployment_log_uri``, before anybody deletes it.

    Returns ``{"endpoint_name": str, "deployment_name": str, "studio_url": str}``.
    """

    template_fields = (
        *AzureMLOnlineOperator.template_fields,
        "deployment_name",
        "model_id",
        "instance_type",
        "instance_count",
        "allowed_instance_types",
    )
    operator_extra_links = (EndpointLink(), DeploymentLogLink())

    def __init__(
        self,
        *,
        deployment_name: str,
        model_id: str,  # ARM id of the model version
        instance_type: str,  # VM size
        instance_count: int | str = 1,
        allowed_instance_types: Sequence[str] | str | None = None,  # the model's; empty if it has none
        liveness_initial_delay_seconds: int = 600,  # a model that loads longer is killed in a loop
        request_timeout_ms: int = 90_000,  # longest time of one answer
        lease: timedelta = ENDPOINT_LEASE,  # then the reaper may delete it, unless its run is alive
        timeout_seconds: float = 5400,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout_seconds=timeout_seconds, **kwargs)
        self.deployment_name = deployment_name
        self.model_id = model_id
        self.instance_type = instance_type
        self.instance_count = instance_count
        self.allowed_instance_types = allowed_instance_types
        self.liveness_initial_delay_seconds = liveness_initial_delay_seconds
        self.request_timeout_ms = request_timeout_ms
        self.lease = lease

    def execute(self, context: Context) -> Result:
        """Deploy."""
        self.require_teardown(context)
        require_name("endpoint", self.endpoint_name)
        require_name("deployment", self.deployment_name)
        require_allowed(self.instance_type, names(self.allowed_instance_types), "deployment")
        self.push_studio_url(context, self.page)
        return self._deploy(context, None)

    def execute_complete(self, context: Context, event: Payload) -> Result:
        """Go on after an operation has ended: the deployment's, or the traffic's."""
        return self._deploy(context, Event.from_json(event))

    def on_kill(self) -> None:
        """Leave at once; the next try finds the deployment, and the endpoint's deletion takes it along."""
        self.interrupt()

    def _deploy(self, context: Context, event: Event | None) -> Result:
        with self._logs_saved(context):
            self.complete(self.hook.deployments, self._spec(context), event)
        traffic = TrafficSpec(self.endpoint_name, self.deployment_name, self.owned_by(context))
        self.complete(self.hook.traffic, traffic, event)
        self.log.info(
            "The deployment %s of %s answers and gets all traffic.", self.deployment_name, self.endpoint_name
        )
        return {
            "endpoint_name": self.endpoint_name,
            "deployment_name": self.deployment_name,
            STUDIO_KEY: self.studio_url(self.page),
        }

    def _spec(self, context: Context) -> DeploymentSpec:
        return DeploymentSpec(
            endpoint=self.endpoint_name,
            name=self.deployment_name,
            model=self.model_id,
            instance_type=self.instance_type,
            instance_count=whole(self.instance_count),
            request_timeout_ms=self.request_timeout_ms,
            liveness_initial_delay_seconds=self.liveness_initial_delay_seconds,
            owner=self.owned_by(context),
            tags=self.leased_by(context, self.lease),
        )

    @contextmanager
    def _logs_saved(self, context: Context) -> Iterator[None]:
        """Save the containers' logs if the block fails."""
        # In this task: nobody deletes the deployment before it has ended.
        try:
            yield
        except (OperationFailed, OperationTimeout, QuotaExceeded, ServiceFailure) as error:
            if self.hook.deployments.get(self.endpoint_name, self.deployment_name) is None:
                raise
            raise type(error)(f"{error}\n{self._save_log(context)}") from error

    def _save_log(self, context: Context) -> str:
        """Save the log where it stays; returns a sentence and its last lines, for the error."""
        ti = context["ti"]
        try:
            uri, content = self.hook.deployments.save_log(
                self.endpoint_name, self.deployment_name, int(getattr(ti, "try_number", 1) or 1)
            )
        except AzureMLError as error:
            return f"The container's log could not be saved: {error}"
        lines = content.splitlines()
        if len(lines) > SHOWN_LINES:
            self.log.info("%d lines before these are left out; all are at %s", len(lines) - SHOWN_LINES, uri)
        for line in last_lines(lines, SHOWN_LINES, LINE):
            self.log.info("[%s] %s", self.deployment_name, line)
        ti.xcom_push(key="deployment_log_uri", value=uri)
        ti.xcom_push(key=LOG_KEY, value=self.studio_url(log_page(uri)))
        tail = "\n".join(last_lines(lines, LAST_LINES))
        return f"The container's last lines (all of them are at {uri}):\n{tail}"


class AzureMLInvokeEndpointOperator(AzureMLOperator):
    """Ask an endpoint one question; raises :class:`MalformedAnswer` without an answer.

    Returns what ``read_answer`` returns, with ``raw`` (the answer as it came) and ``seconds``.
    """

    template_fields = (
        *AzureMLOperator.template_fields,
        "endpoint_name",
        "deployment_name",
        "data_uri",
        "op_kwargs",
    )

    def __init__(
        self,
        *,
        endpoint_name: str,
        data_uri: str,  # azureml:// URI of the text file from whose lines the question is made
        make_request: Callable[..., Payload],  # the body from the lines and op_kwargs
        # The result from request and raw answer; raises ValueError if that is no answer.
        read_answer: Callable[[Payload, str], Result],
        deployment_name: str | None = None,  # empty: what the traffic says
        op_kwargs: Mapping[str, object] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.deployment_name = deployment_name
        self.data_uri = data_uri
        self.make_request = make_request
        self.read_answer = read_answer
        self.op_kwargs = op_kwargs or {}

    def execute(self, context: Context) -> Result:
        """Ask."""
        request = self.make_request(self.hook.data.read_lines(self.data_uri), **self.op_kwargs)
        started = time.monotonic()
        raw = masked(self.hook.endpoints.invoke(self.endpoint_name, request, optional(self.deployment_name)))
        seconds = round(time.monotonic() - started, 3)
        self.log.info("Raw answer after %.3f s: %s", seconds, cut(raw, LINE))
        try:
            result = self.read_answer(request, raw)
        except ValueError as error:
            raise MalformedAnswer(
                f"The endpoint {self.endpoint_name!r} gives no usable answer ({error}): "
                f"it said {raw[:300]!r}; look at the deployment's log in Studio."
            ) from error
        return bounded(masked_values({**result, "seconds": seconds, "raw": raw}))
