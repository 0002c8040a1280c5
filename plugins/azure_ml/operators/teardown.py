"""What the teardowns share: they check a second time where a killed task may still act."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from azure_ml.lifecycle.teardown import SETTLE_SECONDS, needs_second_check
from azure_ml.operators.base import AzureMLOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLTeardownOperator(AzureMLOperator):
    """Base of the teardowns, which are safe to run at any time and any number of times."""

    def __init__(
        self,
        *,
        created_by: str | Sequence[str] = (),  # ids of the creating tasks; empty: check only once
        settle_seconds: float = SETTLE_SECONDS,  # before the second check
        timeout_seconds: float = 3600,
        sleep: Callable[[float], None] = time.sleep,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.created_by = (created_by,) if isinstance(created_by, str) else tuple(created_by)
        self.settle_seconds = settle_seconds
        self.timeout_seconds = timeout_seconds
        self.sleep = sleep

    def needs_second_check(self, context: Context) -> bool:
        """Whether a creating task may still act; pauses until it can have ended."""
        return needs_second_check(context, self.created_by, self.settle_seconds, self.sleep)
