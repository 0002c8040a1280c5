"""How operators wait for an endpoint or a deployment in the triggerer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from azure_ml.errors import AzureMLError, OperationTimeout, ServiceFailure
from azure_ml.hook import _sdk
from azure_ml.hook._translate import translated
from azure_ml.triggers.online import OperationTrigger, deadline_in

if TYPE_CHECKING:
    from azure_ml.hook import AzureMLHook


def wait_elsewhere(
    operator: Any,
    event: dict[str, Any] | None,
    *,
    endpoint_name: str,
    deployment_name: str = "",
    operation: str = "",
) -> NoReturn:
    """Leave the worker until no operation is under way any more; the deadline is set at the first time.

    Args:
        operator: has ``azure_ml_conn_id``, ``poll_seconds`` and ``timeout_seconds``.
        event: of the trigger before, if there was one: its deadline holds on.
        endpoint_name: of the endpoint.
        deployment_name: wait for this deployment of it.
        operation: id of the operation that was begun; empty if somebody else's is waited for.

    Raises:
        TaskDeferred: always.
    """
    trigger = OperationTrigger(
        endpoint_name=endpoint_name,
        azure_ml_conn_id=operator.azure_ml_conn_id,
        deadline=(event or {}).get("deadline") or deadline_in(operator.timeout_seconds),
        deployment_name=deployment_name,
        operation=operation,
        poll_seconds=operator.poll_seconds,
    )
    operator.defer(trigger=trigger, method_name="execute_complete")
    raise AssertionError  # Operators' ``defer`` always raises; its annotation does not say so.


def reason_of(hook: AzureMLHook, event: dict[str, Any] | None, action: str) -> str:
    """Why the awaited operation failed, in the service's words; empty if it did not, or is not known.

    Args:
        hook: of the operator.
        event: what the trigger has told.
        action: what was waited for, to follow "Cannot ".

    Raises:
        OperationTimeout: if the trigger's time was over.
        ServiceFailure: if the trigger could not look any more.
    """
    told = event or {}
    if told.get("error"):
        raise ServiceFailure(str(told["error"]))
    if told.get("late"):
        raise OperationTimeout(
            f"Cannot {action}: it has not ended by {told.get('deadline')}; look at it in Azure ML Studio, "
            "or allow it more time."
        )
    if str(told.get("state")).lower() != "failed":
        return ""
    try:
        with translated("read why the operation failed"):
            error = _sdk.operation_error(hook.token(), str(told.get("operation") or ""))
    except AzureMLError:
        return ""
    return f"{error.get('message')} ({error.get('code')})" if error else ""
