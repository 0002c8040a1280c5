"""The Dag that ``make run`` triggers, and those of its tasks whose results it shows."""

from __future__ import annotations

from typing import Final

DAG_ID: Final = "finetune_chat_completion"

CHOOSE_MODEL: Final = "choose_model"
CHECK_ENDPOINT: Final = "check_endpoint"
CHECK_DATA: Final = "check_data"
SUBMIT_JOB: Final = "submit_job"
WAIT_FOR_JOB: Final = "wait_for_job"
REVIEW_METRICS: Final = "review_metrics"
REGISTER_MODEL: Final = "register_model"
SMOKE_TEST: Final = "smoke_test"
VERDICT: Final = "verdict"
