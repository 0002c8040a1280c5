"""What a run did, as data: from the tasks' results and the workspace itself; ``.local/last_run.json``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from include.launcher.airflow_api import Json, TaskRow
from include.launcher.follow import DAG_ID
from include.launcher.stack import Stack


def gather(stack: Stack, run_id: str, state: str, seconds: float) -> Json:
    """Everything about a run that has ended.

    Args:
        stack: where it ran.
        run_id: the run.
        state: how Airflow says that it ended.
        seconds: from the trigger to the end.

    Returns:
        ``dag_id, run_id, state, seconds, tasks, job, model, endpoint, smoke_test, data``; a part that the
        run did not get to has None for its values.
    """

    def result(task_id: str) -> Json:
        value = stack.airflow.result(DAG_ID, run_id, task_id)
        return value if isinstance(value, dict) else {}

    rows = order_by_start(stack.airflow.tasks(DAG_ID, run_id), stack.airflow.task_order(DAG_ID))
    job, waited, metrics = result("submit_job"), result("wait_for_job"), result("review_metrics")
    smoke, data, endpoint = (
        result("smoke_test"),
        result("check_data"),
        result("reserve_endpoint").get("endpoint_name"),
    )
    return {
        "dag_id": DAG_ID,
        "run_id": run_id,
        "state": state,
        "seconds": round(seconds, 1),
        "tasks": [_task(row) for row in rows],
        "job": {
            "name": waited.get("job_name") or job.get("job_name"),
            "status": waited.get("status"),
            "metrics": {name: value for name, value in metrics.items() if isinstance(value, int | float)},
        },
        "model": _pick(result("register_model"), "name", "version", "id"),
        "endpoint": {
            "name": endpoint,
            "exists_after": stack.azureml.endpoint_exists(endpoint) if endpoint else False,
        },
        "smoke_test": _pick(smoke, "prompt", "answer", "seconds"),
        "data": _pick(data, "dataset", "revision", "split_pc", "rows", "dropped", "tokens"),
    }


def succeeded(outcome: Json) -> bool:
    """Whether the run succeeded and left no endpoint."""
    return outcome["state"] == "success" and outcome["endpoint"]["exists_after"] is False


def write(outcome: Json, file: Path) -> None:
    """Write the outcome so that a reader sees all of it or the former one."""
    draft = file.with_suffix(".part")
    draft.write_text(json.dumps(outcome, indent=2, ensure_ascii=False) + "\n")
    draft.replace(file)


def order_by_start(rows: list[TaskRow], order: list[str]) -> list[TaskRow]:
    """The rows in the order of the Dag."""
    return sorted(rows, key=lambda row: order.index(row.task_id))


def failures(stack: Stack, run_id: str) -> list[tuple[str, str, Path]]:
    """The failed tasks: id, sentence of the error, log file. The verdict only if nothing else failed."""
    failed = [row for row in stack.airflow.tasks(DAG_ID, run_id) if row.state == "failed"]
    told = [row for row in failed if row.task_id != "verdict"] or failed
    folder = stack.paths.airflow_home / "logs" / f"dag_id={DAG_ID}" / f"run_id={run_id}"
    return [
        (
            row.task_id,
            error_sentence(stack.airflow.log(DAG_ID, run_id, row.task_id, row.try_number)),
            folder / f"task_id={row.task_id}" / f"attempt={row.try_number}.log",
        )
        for row in told
    ]


def error_sentence(lines: list[Json]) -> str:
    """The message of the last exception in a task's log; failing that, its last line of level error."""
    for line in reversed(lines):
        for detail in line.get("error_detail") or []:
            if detail.get("exc_value"):
                return f"{detail['exc_type']}: {detail['exc_value']}"
    errors = [str(line["event"]) for line in lines if line.get("level") in ("error", "critical")]
    return re.sub(r"\s+", " ", errors[-1]) if errors else "it left no error in its log"


def _task(row: TaskRow) -> Json:
    seconds = None if row.seconds is None else round(row.seconds, 2)
    return {"task_id": row.task_id, "state": row.state, "seconds": seconds, "try_number": row.try_number}


def _pick(source: Json, *names: str) -> dict[str, Any]:
    return {name: source.get(name) for name in names}
