"""What all tasks of a run share: retries, the clean-up after a failure, and the run's deadline."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Final

from airflow.sdk import RetryAction, RetryRule
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert

from azure_ml.errors import OperationFailed, OperationTimeout
from azure_ml.lifecycle.callbacks import clean_up, clean_up_run
from azure_ml.lifecycle.deadlines import RunMade
from azure_ml.retries import CauseRetryPolicy
from include.finetune import names
from include.finetune.errors import InputError

CLEAN_UP: Final = clean_up(endpoint_name=names.endpoint_name)

# The triggerer imports the function by its name.
DEADLINE: Final = DeadlineAlert(
    name="clean_up",
    reference=RunMade(),
    interval=timedelta(hours=float(os.environ.get("AZURE_ML_FINETUNE_DEADLINE_HOURS") or 30)),
    callback=AsyncCallback(clean_up_run, {"endpoint_name": "include.finetune.names.endpoint_name"}),
)

# Before a preempted job is submitted again; each later pause is longer.
FIRST_PAUSE: Final = timedelta(seconds=float(os.environ.get("AZURE_ML_FINETUNE_RETRY_SECONDS", "60")))

RETRY_POLICY: Final = CauseRetryPolicy(
    FIRST_PAUSE, [RetryRule(InputError, RetryAction.FAIL, reason="wrong input")]
)

# After a lost worker or a lost answer, the next try waits for the deployment that the first one started.
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

# The errors of the operators decide whether a retry can help.
DEFAULT_ARGS: Final[dict[str, Any]] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": CLEAN_UP,
}
