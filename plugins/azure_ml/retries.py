"""When Airflow tries a task again: after what may pass, with pauses that grow; never after what will not.

Airflow's ``ExceptionRetryPolicy`` takes the first rule that matches, with a fixed pause; it is not asked about
an ``AirflowFailException``, which all errors of kind ``NoRetry`` are; and it can give no more tries than the
task's ``retries`` (read in ``airflow/sdk/definitions/retry_policy.py`` and ``task_runner.py`` of 3.3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from azure_ml import errors

if TYPE_CHECKING:
    from airflow.sdk import Context

MAX_DELAY: Final = timedelta(hours=1)
CAPACITY_FACTOR: Final = 5
"""A region that has no machines gets them later than a node is replaced."""


class CauseRetryPolicy(ExceptionRetryPolicy):
    """Retry by the error's cause: each pause after a failed job is twice the last.

    Preemption, capacity, throttling and a failure of the platform are retried with the pauses of this
    policy; quota, data, parameters, login, memory and cancellation are not. All else, such as a service that
    does not answer, keeps the task's own ``retry_delay``.

    Args:
        delay: the first pause; five times as long where capacity is missing; never above one hour.
        rules: rules that come first.
    """

    def __init__(
        self, delay: timedelta = timedelta(minutes=1), rules: Sequence[RetryRule] = (), **kwargs: Any
    ) -> None:
        super().__init__([*rules, *_rules(delay)], **kwargs)

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> Any:
        """The first rule's decision; see ``RetryPolicy.evaluate``."""
        decision = super().evaluate(exception, try_number, max_tries, context)
        if decision.action is not RetryAction.RETRY or decision.retry_delay is None:
            return decision
        retries = getattr((context or {}).get("task"), "retries", None)
        earlier = try_number - 1 if retries is None else retries - (max_tries - try_number) - 1
        delay = min(decision.retry_delay * 2 ** min(max(0, earlier), 10), MAX_DELAY)
        return type(decision).retry(delay, decision.reason)


def _rules(delay: timedelta) -> list[RetryRule]:
    retry, fail = RetryAction.RETRY, RetryAction.FAIL
    capacity: list[type[BaseException] | str] = [errors.JobNoCapacity, errors.NoCapacity]
    throttled: list[type[BaseException] | str] = [errors.JobThrottled, errors.Throttled]
    return [
        RetryRule(errors.NoRetry, fail, reason="trying again cannot help"),
        RetryRule(errors.JobPreempted, retry, delay, "the node was taken away"),
        RetryRule(capacity, retry, delay * CAPACITY_FACTOR, "no machine is to be had"),
        RetryRule(throttled, retry, delay, "the service asks to slow down"),
        RetryRule(errors.JobPlatformFailed, retry, delay, "the platform failed"),
    ]


RETRY_POLICY: Final = CauseRetryPolicy()
"""The policy with a first pause of one minute."""
