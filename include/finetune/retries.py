"""When a task is tried again: after what may pass, with growing pauses; never after a wrong input."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from include.finetune.errors import InputError

RETRIES: Final[dict[str, Any]] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": ExceptionRetryPolicy([RetryRule(InputError, RetryAction.FAIL, reason="wrong input")]),
    "execution_timeout": timedelta(hours=2),
}
"""Default arguments of tasks. The operators' own errors say for themselves whether a retry can help."""
