"""What a teardown and the tasks that create must know of each other.

The teardown: whether a killed task may still act, so that it checks a second time. The task: whether its teardown
is still to come.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from azure_ml.errors import BadInput

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

log = logging.getLogger(__name__)

NEVER_BEGAN: Final = "upstream_failed"
# A killed task learns of it at its next heartbeat, 5 s, and dies 5 s later; a request may be under way.
SETTLE_SECONDS: Final = 20.0


# In every other state Airflow asks no more whether what comes before the task has ended.
TO_COME: Final = (None, "up_for_retry", "up_for_reschedule")


def require_to_come(context: Context, teardowns: Sequence[str], creator: str) -> None:
    """Raise :class:`BadInput` if one of the teardowns of what a task is about to create runs or has run."""
    if not teardowns:
        return
    ti = context["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, task_ids=list(teardowns), run_ids=[ti.run_id])
    of_run = states.get(ti.run_id, {})
    if over := sorted(task_id for task_id in teardowns if of_run.get(task_id) not in TO_COME):
        raise BadInput(
            f"{creator!r} creates nothing, as nobody would end it: {' and '.join(over)} of this run has begun, or "
            f"ended, already. Clear {creator!r} together with all tasks downstream of it."
        )


def may_still_act(context: Context, task_ids: Sequence[str]) -> list[str]:
    """Those of a run's tasks that may go on for some seconds although Airflow counts them as ended."""
    # Only a task that returned its result, or never began, is past doubt: a user, or a timeout of the run, may
    # mark a task failed, skipped or even successful, and its process dies a little later.
    ti = context["ti"]
    try:
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=list(task_ids), run_ids=[ti.run_id])
    except Exception:
        return list(task_ids)
    of_run = states.get(ti.run_id, {})
    return [task_id for task_id in task_ids if not _past_doubt(ti, task_id, of_run.get(task_id))]


def needs_second_check(
    context: Context, task_ids: Sequence[str], seconds: float, sleep: Callable[[float], None]
) -> bool:
    """Whether one of the tasks may still act; if so, this returns after a pause in which it can end."""
    doubtful = may_still_act(context, task_ids)
    if doubtful:
        log.info("%s may still act: checking again in %.0f s.", ", ".join(doubtful), seconds)
        sleep(seconds)
    return bool(doubtful)


def _past_doubt(ti: RuntimeTaskInstanceProtocol, task_id: str, state: str | None) -> bool:
    if state != "success":
        return state == NEVER_BEGAN
    return ti.xcom_pull(task_ids=task_id, key="return_value") is not None
