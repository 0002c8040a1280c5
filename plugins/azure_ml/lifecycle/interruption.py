"""Why a task is being killed: for good, and then what it began is undone; or to be tried again."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

from azure_ml.errors import AzureMLError

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

log = logging.getLogger(__name__)

T = TypeVar("T")

# States of a task that a user has ended; in every other the next try takes its work up again.
ENDED_STATES: Final = ("failed", "success", "skipped", "removed", "upstream_failed")
# State of a task that was cleared while it ran, until its process is dead.
RESTARTING: Final = "restarting"
# Airflow kills the process five seconds after the signal.
KILL_SECONDS: Final = 4.0
ASK_SECONDS: Final = 2.0

GetTaskStates: TypeAlias = Callable[..., Mapping[str, Mapping[str, str]]]


class TaskKey(Protocol):
    """What names a task instance."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int | None


def state_of(key: TaskKey, get_task_states: GetTaskStates) -> str | None:
    """The state that Airflow holds for a task instance, ``None`` if it holds none."""
    mapped = {} if key.map_index is None or key.map_index < 0 else {"map_index": key.map_index}
    states = get_task_states(dag_id=key.dag_id, task_ids=[key.task_id], run_ids=[key.run_id], **mapped)
    return next(iter(states.get(key.run_id, {}).values()), None)


def was_cleared(ti: RuntimeTaskInstanceProtocol) -> bool:
    """Whether a running task is killed only to be started anew; ``False`` if Airflow does not answer soon."""
    return _within(ASK_SECONDS, lambda: state_of(ti, ti.get_task_states)) == RESTARTING


def undo_if_ended(
    ti: RuntimeTaskInstanceProtocol, undo: Callable[[], object], seconds: float = KILL_SECONDS
) -> None:
    """Undo what a killed task began if a user ended the task for good; nothing if Airflow does not answer in time."""

    # After a lost worker or a clear the next try finds what there is; otherwise nobody comes back.
    def work() -> None:
        if state_of(ti, ti.get_task_states) not in ENDED_STATES:
            log.info("The task will be tried again: what it has started is left running.")
            return
        try:
            log.info("The task was ended by somebody; undone: %s", undo())
        except AzureMLError as error:
            log.warning("Could not clean up while being killed: %s", error)

    _within(seconds, work)


def _within(seconds: float, call: Callable[[], T]) -> T | None:
    """The call's result, ``None`` if it fails or takes longer."""
    # In a thread, as ``on_kill`` runs inside a signal handler: the interrupted frame may hold the lock of the
    # channel to Airflow, and then an answer never comes.
    result: list[T] = []

    def run() -> None:
        # A failure means "not known" and must not fill the log of a task that is being killed.
        with contextlib.suppress(Exception):
            result.append(call())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return result[0] if result else None
