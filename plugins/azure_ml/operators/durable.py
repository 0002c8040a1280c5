"""What operators share that must find their work again: notes that outlive a try, and kills that spare it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from azure_ml.errors import AzureMLError
from azure_ml.lifecycle.interruption import task_ended
from azure_ml.operators.base import AzureMLOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

KILL_SECONDS: Final = 4.0
"""Airflow kills the process five seconds after the signal."""


class DurableOperator(AzureMLOperator):
    """An operator with notes in Airflow's task state store, which retries, deferrals and clears share."""

    _context: Context | None = None
    _notes: dict[str, dict[str, Any]]

    def remember(self, context: Context) -> None:
        """Keep the context: ``on_kill`` gets none."""
        self._context, self._notes = context, {}

    def noted(self, key: str) -> dict[str, Any]:
        """What was noted under a key; empty if nothing."""
        if self._context is None:
            return {}
        if key not in self._notes:
            store = self._context.get("task_state_store")
            found: Any = store.get(key) if store is not None else None
            self._notes[key] = dict(found or {})
        return self._notes[key]

    def note(self, key: str, value: Mapping[str, Any]) -> None:
        """Note something for whoever comes after this process."""
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        if self._context is None:
            return
        self._notes[key] = dict(value)
        store = self._context.get("task_state_store")
        if store is not None:
            store.set(key, self._notes[key], retention=NEVER_EXPIRE)

    def leave(self, cancel: Callable[[], object]) -> NoReturn:
        """End a killed task: cancel if somebody has ended the task, and leave ``execute`` at once.

        Whose state is asked in a thread: a signal may interrupt the very call that holds the channel to the
        supervisor, and an answer would then never come.

        Raises:
            Killed: always.
        """
        thread = threading.Thread(target=self._cancel_if_ended, args=(cancel,), daemon=True)
        thread.start()
        thread.join(KILL_SECONDS)
        raise self.killed()

    def _cancel_if_ended(self, cancel: Callable[[], object]) -> None:
        try:
            ti: Any = self._context["ti"] if self._context else None
            if ti is not None and task_ended(ti, ti.get_task_states):
                self.log.info("The task was ended by somebody; canceled: %s", cancel())
            else:
                self.log.info("The task will be tried again: what it has started is left running.")
        except AzureMLError as error:
            self.log.warning("Could not cancel while being killed: %s", error)
