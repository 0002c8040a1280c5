"""Why a task is being killed: to be tried again, or for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

ENDED_STATES: Final = ("failed", "success", "skipped", "removed", "upstream_failed")
"""States of a task that somebody has ended; in every other the next try takes its work up again."""


def task_ended(ti: Any, get_task_states: Callable[..., Any]) -> bool:
    """Whether somebody has ended a task, rather than cleared it, or its process been killed.

    Args:
        ti: the task instance.
        get_task_states: of ``RuntimeTaskInstance``.
    """
    index = getattr(ti, "map_index", None)
    index = -1 if index is None else index
    found = get_task_states(
        dag_id=ti.dag_id,
        task_ids=[ti.task_id],
        run_ids=[ti.run_id],
        **({"map_index": index} if index >= 0 else {}),
    ).get(ti.run_id, {})
    return any(state in ENDED_STATES for state in found.values())
