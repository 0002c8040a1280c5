"""Asking a deployed model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from azure_ml.errors import MalformedAnswer
from azure_ml.operators.base import AzureMLOperator, optional

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLInvokeEndpointOperator(AzureMLOperator):
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

        AzureMLInvokeEndpointOperator(task_id="ask", endpoint_name="e", data_uri=data.returned("test_uri"),
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
