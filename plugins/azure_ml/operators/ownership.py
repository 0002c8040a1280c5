"""The end of what a run has begun: its jobs, and how teardowns tell that a killed task may still act."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from azure_ml.operators.base import AzureMLOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

NEVER_BEGAN: Final = "upstream_failed"
SETTLE_SECONDS: Final = 20.0
"""A killed task learns of it at its next heartbeat, 5 s, and is killed 5 s later; a request may be under way."""


def may_still_act(context: Context, task_ids: Sequence[str]) -> list[str]:
    """Those of a run's tasks that may go on for some seconds although Airflow counts them as ended.

    Only one that has returned its result, or that never began, is past doubt: what was marked failed, skipped
    or even successful by somebody, or by a timeout of the run, is killed a little later than it is counted.
    What Airflow does not tell is doubted, too.

    Args:
        context: of the teardown.
        task_ids: of tasks that create something.
    """
    ti: Any = context["ti"]
    try:
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=list(task_ids), run_ids=[ti.run_id])
    except Exception:
        return list(task_ids)
    found = states.get(ti.run_id, {})
    return [one for one in task_ids if not _past_doubt(ti, one, found.get(one))]


def second_look_due(teardown: Any, context: Context) -> bool:
    """Whether to look a second time; if so, the pause before it is over.

    Args:
        teardown: an operator with ``created_by``, ``settle_seconds`` and ``sleep``.
        context: of it.
    """
    doubted = may_still_act(context, teardown.created_by)
    if doubted:
        seconds = teardown.settle_seconds
        teardown.log.info("%s may still act: looking again in %.0f s.", ", ".join(doubted), seconds)
        teardown.sleep(seconds)
    return bool(doubted)


def _past_doubt(ti: Any, task_id: str, state: str | None) -> bool:
    if state != "success":
        return state == NEVER_BEGAN
    return ti.xcom_pull(task_ids=task_id, key="return_value") is not None


class AzureMLCancelJobsOperator(AzureMLOperator):
    """Cancel every job of this Dag run, and look until all have ended; made to be a teardown.

    The jobs are found by the tags of their owner, so nothing is needed of a task that may have died; another
    run's jobs are never touched. Safe to run at any time and any number of times.

    Args:
        created_by: ids of the tasks that submit jobs; if one of them may still act, a second look is taken.
        settle_seconds: pause before the second look.
        timeout_seconds: how long to wait for the jobs' end.
        sleep: how to pause.

    Returns:
        ``{"canceled": list[str]}``, names of jobs.

    Raises:
        OperationTimeout: if a job still runs in the end.

    Example::

        AzureMLCancelJobsOperator(task_id="cancel_job", created_by=["submit_job"]).as_teardown()
    """

    def __init__(
        self,
        *,
        created_by: Sequence[str] = (),
        settle_seconds: float = SETTLE_SECONDS,
        timeout_seconds: float = 1800,
        sleep: Callable[[float], None] = time.sleep,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.created_by = tuple(created_by)
        self.settle_seconds = settle_seconds
        self.timeout_seconds = timeout_seconds
        self.sleep = sleep

    def execute(self, context: Context) -> dict[str, Any]:
        """Cancel, and look."""
        owner = self.owned_by(context)
        canceled = self.hook.jobs.end_owned(owner, self.timeout_seconds, self.sleep)
        if second_look_due(self, context):
            canceled += self.hook.jobs.end_owned(owner, self.timeout_seconds, self.sleep)
        names = sorted(set(canceled))
        self.log.info("Jobs canceled: %s.", ", ".join(names) or "none, as none was running")
        return {"canceled": names}
