"""Operators for deployments: deploy a model, ask it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azure_ml.errors import MalformedAnswer
from azure_ml.hook.deployments import DeploymentRequest
from azure_ml.links import STUDIO_KEY, EndpointLink
from azure_ml.operators.base import AzureMLOperator, names, optional
from azure_ml.operators.compute import require_allowed

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLDeployModelOperator(AzureMLOperator):
    """Deploy a registered MLflow model to an endpoint, wait until it answers, and send it all traffic.

    Args:
        endpoint_name: of the endpoint.
        deployment_name: of the deployment.
        model_id: ARM id of the model version.
        instance_type: VM size.
        instance_count: machines.
        allowed_instance_types: the model's allow-list; empty if it has none.
        liveness_initial_delay_seconds: before the first probe; a model that loads longer is killed in a loop.
        request_timeout_ms: longest time of one answer, milliseconds.
        timeout_seconds: how long to wait for the deployment.

    Returns:
        ``{"endpoint_name": str, "deployment_name": str, "studio_url": str}``

    Raises:
        BadInput: if the instance type is not allowed.
        OperationFailed: with the container's last lines, if it does not come up.

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
    )
    operator_extra_links = (EndpointLink(),)

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
        self.timeout_seconds = timeout_seconds

    def execute(self, context: Context) -> dict[str, str]:
        """Deploy."""
        require_allowed(self.instance_type, names(self.allowed_instance_types), "deployment")
        request = DeploymentRequest(
            endpoint=self.endpoint_name,
            name=self.deployment_name,
            model=self.model_id,
            instance_type=self.instance_type,
            instance_count=int(self.instance_count),
            request_timeout_ms=self.request_timeout_ms,
            liveness_initial_delay_seconds=self.liveness_initial_delay_seconds,
            tags=self.owned_by(context),
        )
        page = self.push_studio_url(context, f"/endpoints/realtime/{self.endpoint_name}/detail")
        self.hook.deployments.create(request, self.timeout_seconds)
        self.log.info("The deployment %s of %s answers and gets all traffic.", request.name, request.endpoint)
        return {
            "endpoint_name": self.endpoint_name,
            "deployment_name": self.deployment_name,
            STUDIO_KEY: page,
        }

    def on_kill(self) -> None:
        """Leave at once; the endpoint's deletion takes the deployment along."""
        self.stop_after(lambda: None)


class AzureMLScoreEndpointOperator(AzureMLOperator):
    """Ask an endpoint one question, and require an answer.

    Args:
        endpoint_name: of the endpoint.
        deployment_name: ask this deployment; empty for what the traffic says.
        data_uri: ``azureml://`` URI of a text file from whose lines the question is made.
        make_request: makes the request's body from the lines (and ``op_kwargs``).
        read_answer: makes the result from ``(request, raw answer)``; raises ``ValueError`` if the answer is
            no answer.
        op_kwargs: more arguments of ``make_request``.

    Returns:
        what ``read_answer`` returns, with ``raw`` (the answer as it came) and ``seconds``.

    Raises:
        MalformedAnswer: if the answer is empty or ``read_answer`` finds none in it.

    Example::

        AzureMLScoreEndpointOperator(task_id="ask", endpoint_name="e", data_uri=data.returned("test_uri"),
                                     make_request=scoring.request, read_answer=scoring.read)
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
        data_uri: str,
        make_request: Callable[..., Mapping[str, Any]],
        read_answer: Callable[[Mapping[str, Any], str], dict[str, Any]],
        deployment_name: str | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.endpoint_name = endpoint_name
        self.deployment_name = deployment_name
        self.data_uri = data_uri
        self.make_request = make_request
        self.read_answer = read_answer
        self.op_kwargs = op_kwargs or {}

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask."""
        request = self.make_request(self.hook.data.read_lines(self.data_uri), **self.op_kwargs)
        started = time.monotonic()
        raw = self.hook.deployments.score(self.endpoint_name, request, optional(self.deployment_name))
        seconds = round(time.monotonic() - started, 3)
        self.log.info("Raw answer after %.3f s: %s", seconds, raw)
        try:
            result = self.read_answer(request, raw)
        except ValueError as error:
            raise MalformedAnswer(
                f"The endpoint {self.endpoint_name!r} gives no usable answer ({error}): "
                f"it said {raw[:300]!r}; look at the deployment's log in Studio."
            ) from error
        return {**result, "seconds": seconds, "raw": raw}
