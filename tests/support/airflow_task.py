"""As much of Airflow's task as an operator uses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from airflow.sdk.exceptions import TaskDeferred

DAG_ID = "a_dag"


class TaskInstance:
    """As much of a running task as operators ask for."""

    def __init__(self, run_id: str, states: dict[str, str], task_id: str = "a_task") -> None:
        self.dag_id, self.run_id, self.states, self.task_id = DAG_ID, run_id, states, task_id
        self.map_index, self.try_number, self.max_tries, self.clear_number = -1, 1, 2, 0
        self.pushed: dict[str, Any] = {}
        self.returned: dict[str, Any] = {}
        self.runs: dict[str, str] = {}

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        """What other tasks have returned."""
        return self.returned.get(task_ids)

    def get_dr_count(self, dag_id: str, run_ids: list[str], states: list[str] | None = None) -> int:
        """Airflow's runs, from ``runs``."""
        known = [self.runs[run] for run in run_ids if run in self.runs]
        return len([state for state in known if not states or state in states])

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep what is pushed."""
        self.pushed[key] = value

    def get_task_states(self, **_: Any) -> dict[str, dict[str, str]]:
        """The states given."""
        return {self.run_id: self.states}


class Store:
    """Airflow's task state store, which outlives a try."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """What was set, through JSON as in Airflow."""
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep it."""
        self.values[key] = json.dumps(value)


def deferred(call: Callable[[], Any]) -> TaskDeferred:
    """The deferral that a call ends with."""
    try:
        call()
    except TaskDeferred as caught:
        return caught
    raise AssertionError("it did not defer")


def event_of(trigger: Any) -> dict[str, Any]:
    """The one event of a trigger."""

    async def run() -> Any:
        return await asyncio.wait_for(anext(aiter(trigger.run())), 60)

    return dict(asyncio.run(run()).payload)
