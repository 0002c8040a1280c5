"""Why a task is being killed: to be tried again, or for good."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Final

ENDED_STATES: Final = ("failed", "success", "skipped", "removed", "upstream_failed")
"""States of a task that somebody has ended; in every other the next try takes its work up again."""

RESTARTING: Final = "restarting"
"""State of a task that was cleared while it ran, until its process is dead."""

ASK_SECONDS: Final = 2.0
"""Airflow kills a task five seconds after it has told it so, and the clean-up needs the rest of them."""


def state_of(ti: Any, get_task_states: Callable[..., Any]) -> str | None:
    """The state that Airflow holds for a task instance, ``None`` if it holds none.

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
    return next(iter(found.values()), None)


def task_ended(ti: Any, get_task_states: Callable[..., Any]) -> bool:
    """Whether somebody has ended a task, rather than cleared it, or its process been killed; as ``state_of``."""
    return state_of(ti, get_task_states) in ENDED_STATES


def state_soon(ti: Any, seconds: float = ASK_SECONDS) -> str | None:
    """:func:`state_of` for a process that is being killed and must not wait; ``None`` if Airflow does not answer.

    It is asked for in a thread, as ``on_kill`` runs inside a signal handler: the frame that was interrupted
    may hold the lock of the channel to Airflow, and then the answer never comes.

    Args:
        ti: the running task instance, as the context has it.
        seconds: how long to wait.
    """
    answer: list[str | None] = []

    def ask() -> None:
        # What goes wrong here means "not known", and must not fill the log of a task that is being killed.
        with contextlib.suppress(Exception):
            answer.append(state_of(ti, ti.get_task_states))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answer[0] if answer else None


def ended_as_far_as_known(ti: Any, seconds: float = ASK_SECONDS) -> bool:
    """Whether somebody has ended a task; ``False`` if Airflow does not answer soon. As :func:`state_soon`."""
    return state_soon(ti, seconds) in ENDED_STATES


def was_cleared(ti: Any) -> bool:
    """Whether a running task is killed only to be started anew; as :func:`state_soon`."""
    return state_soon(ti) == RESTARTING
