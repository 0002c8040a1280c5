"""What became of a task that is being killed: whether somebody ended it, or whether it will come back."""

from __future__ import annotations

import threading
from typing import Any, Final

ENDED_STATES: Final = ("failed", "success", "skipped", "removed")
"""States of a task that will not be tried again; all others mean that another process takes over."""

ASK_SECONDS: Final = 2.0
"""Airflow kills a task five seconds after it has told it so, and the clean-up needs the rest of them."""


def state_of(ti: Any, seconds: float = ASK_SECONDS) -> str | None:
    """The state that Airflow holds for a task instance, or ``None`` if it does not answer in time.

    It is asked for in a thread, as ``on_kill`` runs inside a signal handler: the frame that was interrupted
    may hold the lock of the channel to Airflow, and then the answer never comes.

    Args:
        ti: the running task instance, as the context has it.
        seconds: how long to wait.
    """
    answer: list[str | None] = []

    def ask() -> None:
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])
        found = states.get(ti.run_id, {})
        index = getattr(ti, "map_index", -1)
        answer.append(found.get(ti.task_id, found.get(f"{ti.task_id}_{index}")))

    # What goes wrong here means "not known", and must not fill the log of a task that is being killed.
    thread = threading.Thread(target=_quietly, args=(ask,), daemon=True)
    thread.start()
    thread.join(seconds)
    return answer[0] if answer else None


def _quietly(call: Any) -> None:
    try:
        call()
    except Exception:
        return
