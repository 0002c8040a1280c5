"""When Airflow tries a task again, and after which causes a retry pays for a new job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from azure_ml import errors

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.definitions.retry_policy import RetryDecision

# Causes after which a new job may succeed.
PAID_AGAIN: Final = frozenset(kind.cause for kind in errors.JobInterrupted.__subclasses__())

MAX_DELAY: Final = timedelta(hours=1)
CAPACITY_FACTOR: Final = 5  # a region gets machines later than it replaces one node


# Airflow's policy takes the first rule that matches, with a fixed pause. Airflow does not ask it about an
# ``AirflowFailException``, which all ``NoRetry`` are, and it cannot exceed the task's ``retries``
# (``airflow/sdk/definitions/retry_policy.py`` and ``task_runner.py`` of 3.3.2).
class CauseRetryPolicy(ExceptionRetryPolicy):
    """Retry by the error's cause; each pause after a failed job is twice the last, up to one hour."""

    def __init__(
        self,
        delay: timedelta = timedelta(minutes=1),  # the first pause; five times as long without capacity
        rules: Sequence[RetryRule] = (),  # come first
    ) -> None:
        super().__init__([*rules, *_rules(delay)])

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """The first rule's decision; see ``RetryPolicy.evaluate``."""
        decision = super().evaluate(exception, try_number, max_tries, context)
        if decision.action is not RetryAction.RETRY or decision.retry_delay is None:
            return decision
        # A clear adds to ``max_tries``: only the tries since then make the pause longer.
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


# The policy with a first pause of one minute.
RETRY_POLICY: Final = CauseRetryPolicy()
