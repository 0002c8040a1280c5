"""Follows a run to its end, after ending those that were cut off before it."""

from __future__ import annotations

import time

import httpx

from include.launcher.airflow_api import FINAL_RUN_STATES, FINAL_TASK_STATES, Json, TaskRow
from include.launcher.errors import ApiError, StartError
from include.launcher.progress import Losses, Progress
from include.launcher.stack import Say, Stack
from include.launcher.tasks import DAG_ID, SUBMIT_JOB, WAIT_FOR_JOB

PARSE_SECONDS = 90.0
POLL_SECONDS = 0.5
LOSS_POLL_SECONDS = 1.5
SETTLE_SECONDS = 120.0


def wait_for_dag(stack: Stack) -> None:
    """Wait until Airflow has parsed the Dag; raises ``StartError`` if it cannot, or not in time."""
    deadline = time.monotonic() + PARSE_SECONDS
    while time.monotonic() < deadline:
        dag = stack.airflow.find_dag(DAG_ID)
        if dag is not None and not dag["is_stale"]:
            if dag["is_paused"]:
                stack.airflow.unpause(DAG_ID)
            return
        for error in stack.airflow.import_errors():
            last = error["stack_trace"].strip().splitlines()[-1]
            raise StartError(f"Airflow cannot import {error['filename']}: {last}")
        time.sleep(POLL_SECONDS)
    raise StartError(
        f"Airflow did not parse the Dag {DAG_ID} in {PARSE_SECONDS:.0f} s: "
        f"read {stack.paths.logs / 'dag-processor.log'}."
    )


def settle_old_runs(stack: Stack, say: Say) -> None:
    """End the runs that a killed ``make run`` left unfinished; their teardowns delete their endpoints."""
    old = stack.airflow.unfinished_runs(DAG_ID)
    for run_id in old:
        say(f"An earlier run was cut off: {run_id}. Ending it; its endpoint is deleted by its own teardown")
        stack.airflow.mark_failed(DAG_ID, run_id)
    deadline = time.monotonic() + SETTLE_SECONDS
    while old and time.monotonic() < deadline:
        old = [run_id for run_id in old if not _is_settled(stack, run_id)]
        time.sleep(POLL_SECONDS)
    for run_id in old:
        say(f"Run {run_id} is still ending; going on without waiting for it")


def follow(stack: Stack, run_id: str, progress: Progress) -> Json:
    """Show the run until it has ended; returns it as Airflow last described it."""
    began = time.monotonic()
    losses, polled_at = _TrainingLoss(stack, run_id), -LOSS_POLL_SECONDS
    order = stack.airflow.task_order(DAG_ID)
    while True:
        run = stack.airflow.run_state(DAG_ID, run_id)
        rows = sorted(stack.airflow.tasks(DAG_ID, run_id), key=lambda row: order.index(row.task_id))
        seconds = time.monotonic() - began
        if seconds - polled_at >= LOSS_POLL_SECONDS and _is_training(rows):
            losses.poll()
            polled_at = seconds
        progress.update(seconds, rows, losses.points)
        # Teardowns may still run although Airflow has decided the state of the run.
        if run["state"] in FINAL_RUN_STATES and all(row.state in FINAL_TASK_STATES for row in rows):
            return run
        time.sleep(POLL_SECONDS)


class _TrainingLoss:
    """The loss of the run's job while it trains."""

    def __init__(self, stack: Stack, run_id: str) -> None:
        self._stack, self._run_id = stack, run_id
        self._job: Json | None = None
        self.points: Losses = []

    def poll(self) -> None:
        """Read the loss again."""
        # The loss is only shown: a failed request must not end the run's follower.
        try:
            self._job = self._job or self._stack.airflow.result(DAG_ID, self._run_id, SUBMIT_JOB)
            if self._job:
                self.points = (
                    self._stack.azureml.losses(self._job["job_name"], self._job["experiment_name"])
                    or self.points
                )
        except (ApiError, httpx.HTTPError):
            return


def _is_training(rows: list[TaskRow]) -> bool:
    return any(row.task_id == WAIT_FOR_JOB and row.state in ("running", "deferred", "queued") for row in rows)


def _is_settled(stack: Stack, run_id: str) -> bool:
    rows = stack.airflow.tasks(DAG_ID, run_id)
    state = stack.airflow.run_state(DAG_ID, run_id)["state"]
    return state in FINAL_RUN_STATES and all(row.state in FINAL_TASK_STATES for row in rows)
