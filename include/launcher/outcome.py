"""What a run did, as data, from its tasks' results and the workspace; written to ``.local/last_run.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from include.launcher import tasks
from include.launcher.airflow_api import Json, TaskRow
from include.launcher.stack import Stack
from include.launcher.tasks import DAG_ID

Result = Callable[[str], Json]


def gather(stack: Stack, run_id: str, state: str, seconds: float) -> Json:
    """Everything about a run that has ended.

    Returns:
        ``dag_id, run_id, state, seconds, tasks, job, model, endpoint, smoke_test, data``; the values of a part
        that the run did not reach are None.
    """
    result = result_of(stack, run_id)
    rows = order_by_start(stack.airflow.tasks(DAG_ID, run_id), stack.airflow.task_order(DAG_ID))
    return {
        "dag_id": DAG_ID,
        "run_id": run_id,
        "state": state,
        "seconds": round(seconds, 1),
        "tasks": [_task(row) for row in rows],
        "job": _job(result),
        "model": _pick(result(tasks.REGISTER_MODEL), "name", "version", "id"),
        "endpoint": _endpoint(stack, result),
        "smoke_test": _pick(result(tasks.SMOKE_TEST), "prompt", "answer", "seconds"),
        "data": _pick(
            result(tasks.CHECK_DATA), "dataset", "revision", "split_pc", "rows", "dropped", "tokens"
        ),
    }


def result_of(stack: Stack, run_id: str) -> Result:
    """A function from the id of a task to its result; empty for a task that returned none."""

    def result(task_id: str) -> Json:
        value = stack.airflow.result(DAG_ID, run_id, task_id)
        return value if isinstance(value, dict) else {}

    return result


def succeeded(outcome: Json) -> bool:
    """Whether the run succeeded and left no endpoint."""
    return outcome["state"] == "success" and outcome["endpoint"]["exists_after"] is False


def write(outcome: Json, file: Path) -> None:
    """Replace the file in one step: a reader sees the new outcome or the former one."""
    draft = file.with_suffix(".part")
    draft.write_text(json.dumps(outcome, indent=2, ensure_ascii=False) + "\n")
    draft.replace(file)


def order_by_start(rows: list[TaskRow], order: list[str]) -> list[TaskRow]:
    """The rows in the order of the Dag."""
    return sorted(rows, key=lambda row: order.index(row.task_id))


def failures(stack: Stack, run_id: str) -> list[tuple[str, str, Path]]:
    """The failed tasks: id, error message, log file."""
    failed = [row for row in stack.airflow.tasks(DAG_ID, run_id) if row.state == "failed"]
    # The verdict fails because others did: alone it is worth showing.
    shown = [row for row in failed if row.task_id != tasks.VERDICT] or failed
    folder = stack.paths.airflow_home / "logs" / f"dag_id={DAG_ID}" / f"run_id={run_id}"
    return [
        (
            row.task_id,
            error_sentence(stack.airflow.log(DAG_ID, run_id, row.task_id, row.try_number)),
            folder / f"task_id={row.task_id}" / f"attempt={row.try_number}.log",
        )
        for row in shown
    ]


def error_sentence(lines: list[Json]) -> str:
    """The message of the last exception in a task's log, or else its last line of level error."""
    for line in reversed(lines):
        for detail in line.get("error_detail") or []:
            if detail.get("exc_value"):
                return f"{detail['exc_type']}: {detail['exc_value']}"
    errors = [str(line["event"]) for line in lines if line.get("level") in ("error", "critical")]
    return re.sub(r"\s+", " ", errors[-1]) if errors else "it left no error in its log"


def _job(result: Result) -> Json:
    # The job that was waited for: after a preemption it is another one than the first that was submitted.
    submitted, waited = result(tasks.SUBMIT_JOB), result(tasks.WAIT_FOR_JOB)
    metrics = result(tasks.REVIEW_METRICS)
    return {
        "name": waited.get("job_name") or submitted.get("job_name"),
        "status": waited.get("status"),
        "metrics": {name: value for name, value in metrics.items() if isinstance(value, int | float)},
    }


def _endpoint(stack: Stack, result: Result) -> Json:
    name = result(tasks.CHECK_ENDPOINT).get("endpoint_name")
    return {"name": name, "exists_after": stack.azureml.endpoint_exists(name) if name else False}


def _task(row: TaskRow) -> Json:
    seconds = None if row.seconds is None else round(row.seconds, 2)
    return {"task_id": row.task_id, "state": row.state, "seconds": seconds, "try_number": row.try_number}


def _pick(source: Json, *names: str) -> dict[str, Any]:
    return {name: source.get(name) for name in names}
