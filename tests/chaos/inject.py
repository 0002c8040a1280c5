"""How each fault is brought about: what is armed before the run, when it is at the point, what is done then."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from tests.chaos.run import FINAL, NotReached, Run

Json = dict[str, Any]
REACH_SECONDS = 240.0
NOTICE_SECONDS = 90.0
HELD_SECONDS = 150.0
TOKEN_SECONDS = 6

MESSAGE = "The operation could not be done."
OPERATIONS = {
    "validate_compute": "computes",
    "create_endpoint": "onlineEndpoints",
    "deploy": "onlineDeployments",
    "delete_endpoint": "onlineEndpoints",
}
WRITES = {
    "validate_compute": ("PUT", "*/computes/*"),
    "prepare_data": ("PUT", "*/workspaces/*/data/*"),
    "submit_job": ("PUT", "*/jobs/*"),
    "register_model": ("PUT", "*/models/*"),
    "create_endpoint": ("PUT", "*/onlineEndpoints/*"),
    "deploy": ("PUT", "*/deployments/*"),
    "delete_endpoint": ("DELETE", "*/onlineEndpoints/*"),
}
"""The request by which a task creates, or deletes, what costs money."""

SERVICE = "*/providers/*"
"""Paths of Azure ML itself; not those of the identity, whose client has its own patience."""

STATUS: dict[str, Json] = {
    "throttled": {
        "kind": "status",
        "status": 429,
        "code": "TooManyRequests",
        "headers": {"Retry-After": "1"},
        "count": 5,
    },
    "server-error": {"kind": "status", "status": 500, "count": 2},
    "unavailable": {
        "kind": "status",
        "status": 503,
        "code": "ServerBusy",
        "headers": {"Retry-After": "1"},
        "count": 2,
    },
    "reset": {"kind": "reset", "count": 2},
    "malformed": {"kind": "malformed", "count": 1},
}
"""Faults of requests, meant for the requests of one task of one run."""


def meant_for(run: Run, fault: Json) -> Json:
    """A fault of requests for this run's task alone; the Hub's client tells no name, so its path must do."""
    if run.case.task == "check_data":
        return {**fault, "path": f"/hub/api/datasets/local/{run.unique}*"}
    return {"agent": run.agent, "path": SERVICE, **fault}


def hold_request(run: Run) -> Json:
    """The fault that keeps a task in a request: where it creates something, after the server has acted."""
    if run.case.task in WRITES:
        method, path = WRITES[run.case.task]
        return meant_for(
            run, {"kind": "late_response", "method": method, "path": path, "delay_seconds": HELD_SECONDS}
        )
    return meant_for(run, {"kind": "delay", "delay_seconds": HELD_SECONDS})


def operation(run: Run, kind: str, **fields: Any) -> Json:
    """A fault of the long operation of the case's task."""
    key = run.conf()["compute_cluster"] if run.case.task == "validate_compute" else run.endpoint
    pattern = f"{key}/*" if run.case.task == "deploy" else key
    return {"kind": kind, "resource": OPERATIONS[run.case.task], "key": pattern, "message": MESSAGE, **fields}


def armed(run: Run) -> list[Json]:
    """The faults of the service that a case needs before its run starts."""
    case, job = run.case, f"{run.job}*"
    if case.fault in STATUS:
        return [meant_for(run, STATUS[case.fault])]
    if case.fault == "lost-response":
        method, path = WRITES[case.task]
        return [meant_for(run, {"kind": "lost_response", "method": method, "path": path, "count": 1})]
    if case.fault == "operation-failed":
        return [operation(run, "operation_failed", count=None)]
    if case.fault == "operation-stuck" and case.task != "delete_endpoint":
        return [operation(run, "operation_stuck", delay_seconds=40 if case.expected_state == "failed" else 8)]
    if case.fault == "quota-refused":
        return [_quota(run)]
    if case.fault == "step-failed":
        told = {"kind": "job_failed", "step": "chat_completion_finetune", "job": job, "count": None}
        return [{**told, "message": "CUDA out of memory."}]
    if case.fault == "not-responding":
        return [{"kind": "job_status", "step": "chat_completion_finetune", "job": job}]
    if case.fault == "preemption":
        return [{"kind": "preemption", "step": "chat_completion_finetune", "job": job, "delay_seconds": 1}]
    return [hold_request(run)] if holds_request(run) else []


def _quota(run: Run) -> Json:
    if run.case.task == "deploy":
        said = "Not enough quota available for Standard_NC6s_v3 in this subscription."
        return operation(run, "operation_failed", count=None, status=400, code="OutOfQuota") | {
            "message": said
        }
    method, path = WRITES[run.case.task]
    code = "ClusterCoreQuotaReached" if run.case.task == "validate_compute" else "QuotaExceeded"
    said = "Operation results in exceeding quota limits. Maximum allowed: 0."
    told = {"kind": "status", "status": 400, "code": code, "message": said, "count": None}
    return meant_for(run, {**told, "method": method, "path": path})


def holds_request(run: Run) -> bool:
    """Whether the case meets its task in the midst of a request."""
    case = run.case
    if case.task in ("wait_for_job", "verdict", "check_data"):
        return False
    return case.mode == "sync" and case.fault in (
        "worker-killed",
        "task-terminated",
        "task-timeout",
        "run-timeout",
        "run-marked-failed",
        "task-marked-failed",
        "task-cleared",
        "service-restarted",
    )


def holds_job(run: Run) -> bool:
    """Whether the training must be under way when the fault comes."""
    return run.case.task == "wait_for_job" and run.case.fault not in (
        *STATUS,
        "step-failed",
        "not-responding",
    )


def holds_task(run: Run) -> bool:
    """Whether the task is held before its work."""
    case = run.case
    if case.task == "delete_endpoint" and case.fault in ("operation-stuck", "operation-failed-once"):
        return True
    passing = (*STATUS, "lost-response", "quota-refused", "token-expired", "preemption")
    if case.fault in passing or case.fault.startswith("operation") or case.task == "wait_for_job":
        return False
    return case.mode == "sync" and not holds_request(run)


def reach(run: Run) -> None:
    """Wait until the run is at the point.

    Raises:
        NotReached: if it ends before, or takes too long.
    """
    if not run.until(lambda: _there(run) or run.state() in FINAL, REACH_SECONDS) or not _there(run):
        raise NotReached(f"the run was {run.state()} and the task {run.task()} before the fault")


def _there(run: Run) -> bool:
    state = run.task()[0]
    if holds_job(run):
        return state == ("deferred" if run.case.mode == "deferred" else "running") and run.training_runs()
    if holds_request(run):
        return state == "running" and not _waits(run)
    if holds_task(run):
        return state == "running" and (run.world.holds / f"{run.run_id}.{run.case.task}.pid").exists()
    if run.case.mode == "deferred" and run.case.task in OPERATIONS:
        return state in ("deferred", "running")
    return True


def _waits(run: Run) -> bool:
    """Whether the fault that keeps the request has not been met yet."""
    faults = run.world.stack.azureml._control("GET", "/_local/faults")["value"]
    wanted = hold_request(run)
    return any(all(fault.get(name) == value for name, value in wanted.items()) for fault in faults)


def act(run: Run) -> None:
    """Do what the fault is, to this run alone."""
    action = ACTIONS.get(run.case.fault)
    if action is not None:
        action(run)


def after(run: Run) -> None:
    """Keep what is held until the fault has been noticed, then let go."""
    if run.case.fault in NOTICED and (holds_job(run) or holds_task(run)):
        before = run.task()
        run.until(lambda: run.task() != before or run.state() in FINAL, NOTICE_SECONDS)
    if run.case.fault == "token-expired" and holds_job(run):
        time.sleep(1.5 * TOKEN_SECONDS)
    run.release()


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
        path = f"{azureml._workspace()}/jobs/{name}/cancel"
        query = {"api-version": "2023-04-01-preview"}
        azureml._http.post(path, params=query, headers=azureml._token()).raise_for_status()


def _late(run: Run) -> None:
    kind = "operation_stuck" if run.case.fault == "operation-stuck" else "operation_failed"
    more: Json = {"delay_seconds": 8} if kind == "operation_stuck" else {"status": 500}
    run.world.stack.azureml.add_faults([operation(run, kind, **more)])


ACTIONS: dict[str, Callable[[Run], None]] = {
    "worker-killed": lambda run: run.kill_worker(signal.SIGKILL),
    "task-terminated": lambda run: os.kill(run.pid(), signal.SIGTERM),
    "run-marked-failed": _mark_failed,
    "task-marked-failed": _mark_task_failed,
    "marked-failed-deferred": _mark_task_failed,
    "task-cleared": _clear,
    "job-canceled": _cancel_job,
    "operation-stuck": lambda run: _late(run) if run.case.task == "delete_endpoint" else None,
    "operation-failed-once": _late,
}
NOTICED = (
    "worker-killed",
    "task-terminated",
    "task-timeout",
    "run-timeout",
    "run-marked-failed",
    "task-marked-failed",
    "marked-failed-deferred",
    "task-cleared",
)
