"""When a task is tried again: after what may pass, with growing pauses; never after a wrong input."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Final

from airflow.sdk import RetryAction, RetryRule

from azure_ml.errors import OperationFailed, OperationTimeout
from azure_ml.retries import CauseRetryPolicy
from include.finetune.errors import InputError

FIRST_PAUSE: Final = timedelta(seconds=float(os.environ.get("AZURE_ML_FINETUNE_RETRY_SECONDS", "60")))
"""Before a job that was preempted is submitted again; the later ones are longer."""

RETRIES: Final[dict[str, Any]] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": CauseRetryPolicy(
        FIRST_PAUSE, [RetryRule(InputError, RetryAction.FAIL, reason="wrong input")]
    ),
    "execution_timeout": timedelta(hours=2),
}
"""Default arguments of tasks. The operators' own errors say for themselves whether a retry can help."""

DEPLOYMENT_POLICY: Final = CauseRetryPolicy(
    FIRST_PAUSE,
    [
        RetryRule(
            [OperationFailed, OperationTimeout],
            RetryAction.FAIL,
            reason="each try is paid for, and would end for the same reason",
        )
    ],
)
"""For a deployment. After a lost worker, or an answer that did not come, the next try waits for what was begun."""
