"""The point at which a fault comes, and what is done then."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from tests.chaos import invariants, promises
from tests.chaos.cases import RUN_TIMEOUT_SECONDS, Case
from tests.chaos.faults import (
    INTERRUPTING,
    OPERATIONS,
    SIGNAL_SECONDS,
    Json,
    hold_request,
    holds_job,
    holds_request,
    holds_task,
    operation,
)
from tests.chaos.run import FINAL, NotReached, Run

REACH_SECONDS = 300.0
NOTICE_SECONDS = 90.0
TOKEN_SECONDS = 6


def reach(run: Run) -> None:
    """Wait until the run is at the point.

    Raises:
        NotReached: if it ends before, or takes too long.
    """
    if not run.until(lambda: _there(run) or run.state() in FINAL, REACH_SECONDS) or not _there(run):
        raise NotReached(f"the run was {run.state()} and the task {run.task()} before the fault")


def _there(run: Run) -> bool:
    state = run.task()[0]
    if holds_job(run) and run.case.mode == "deferred":
        return state == "deferred" and run.training_runs() and run.trigger_runs()
    if holds_job(run):
        return state == "running" and run.pid_is_known() and run.training_runs()
    if holds_request(run):
        return state == "running" and not _waits(run)
    if holds_task(run):
        return state == "running" and run.pid_is_known()
    if run.case.mode == "deferred" and run.case.task in OPERATIONS:
        return state in ("deferred", "running")
    return True


def _waits(run: Run) -> bool:
    """Whether the fault that keeps the request has not been met yet."""
    faults = run.world.stack.azureml.control("GET", "/_local/faults")["value"]
    hold = hold_request(run)
    return any(all(fault.get(name) == value for name, value in hold.items()) for fault in faults)


def act(run: Run) -> None:
    """Do what the fault is, to this run alone."""
    action = ACTIONS.get(run.case.fault)
    if action is not None:
        action(run)


def held_teardown(case: Case) -> str:
    """The teardown that is kept out of a case, so that only ``on_kill`` can clean up; empty for none."""
    if case.fault not in ("task-marked-failed", "marked-failed-deferred"):
        return ""
    return {"wait_for_job": "cancel_job", "create_endpoint": "delete_endpoint"}.get(case.task, "")


def unheard_kill(run: Run) -> list[str]:
    """Whether what the ended task had begun was undone by its own ``on_kill``, in the promised time."""
    teardown, seconds = held_teardown(run.case), promises.load()["on_kill"]
    left = {"cancel_job": invariants.alive, "delete_endpoint": invariants.endpoints}.get(teardown)
    if left is None or run.until(lambda: not left(run), seconds):
        return []
    return [f"on_kill of {run.case.task} has not ended what the task began within {seconds} s"]


def after(run: Run) -> None:
    """Keep what is held until the fault has been noticed, then let go."""
    # Where on_kill was waited for, the fault has been noticed.
    if run.case.fault in NOTICED and (holds_job(run) or holds_task(run)) and not held_teardown(run.case):
        noticed, seconds = _noticing(run)
        run.until(lambda: noticed() or run.state() in FINAL, seconds)
    if run.case.fault == "token-expired" and holds_job(run):
        time.sleep(1.5 * TOKEN_SECONDS)
    run.release()


def _noticing(run: Run) -> tuple[Callable[[], bool], float]:
    """How it shows that the fault was noticed, and how long to wait for that."""
    if run.case.fault == "task-timeout":
        # A deferred task comes back to a worker first, which then looks at the budgets.
        return lambda: run.task()[0] in ("failed", "up_for_retry"), NOTICE_SECONDS
    before = run.task()
    # A task without an ``on_kill`` of its own never notices the signal.
    return (
        lambda: run.task() != before,
        SIGNAL_SECONDS if run.case.fault == "task-terminated" else NOTICE_SECONDS,
    )


def _mark_failed(run: Run) -> None:
    run.world.change("PATCH", f"{run.dag_id}/dagRuns/{run.run_id}", {"state": "failed"})


def _mark_task_failed(run: Run) -> None:
    path = f"{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{run.case.task}"
    run.world.change("PATCH", path, {"new_state": "failed"})


def _clear(run: Run) -> None:
    body = {
        "dry_run": False,
        "dag_run_id": run.run_id,
        "task_ids": [run.case.task],
        "only_failed": False,
        "reset_dag_runs": True,
    }
    run.world.change("POST", f"{run.dag_id}/clearTaskInstances", body)


def _cancel_job(run: Run) -> None:
    azureml = run.world.stack.azureml
    for name in run.jobs():
        azureml.ask("POST", f"jobs/{name}/cancel", "2023-04-01-preview")


def _late(run: Run) -> None:
    kind = "operation_stuck" if run.case.fault == "operation-stuck" else "operation_failed"
    more: Json = {"delay_seconds": 8} if kind == "operation_stuck" else {"status": 500}
    run.world.stack.azureml.add_faults([operation(run, kind, **more)])


ACTIONS: dict[str, Callable[[Run], None]] = {
    "worker-killed": lambda run: run.kill_worker(signal.SIGKILL),
    "task-terminated": lambda run: os.kill(run.pid(), signal.SIGTERM),
    "run-timeout": lambda run: run.grow_old(2 * RUN_TIMEOUT_SECONDS),
    "run-marked-failed": _mark_failed,
    "task-marked-failed": _mark_task_failed,
    "marked-failed-deferred": _mark_task_failed,
    "task-cleared": _clear,
    "job-canceled": _cancel_job,
    "operation-stuck": lambda run: _late(run) if run.case.task == "delete_endpoint" else None,
    "operation-failed-once": _late,
}
NOTICED = (*INTERRUPTING, "marked-failed-deferred")
