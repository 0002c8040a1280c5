"""What each case arms in the local Azure ML, and by what its task is held until the fault comes."""

from __future__ import annotations

from typing import Any

from tests.chaos.run import Run

Json = dict[str, Any]
HELD_SECONDS = 150.0
SIGNAL_SECONDS = 15.0

MESSAGE = "The operation could not be done."
OPERATIONS = {
    "prepare_compute": "computes.create",
    "create_endpoint": "onlineEndpoints.create",
    "deploy": "onlineDeployments.create",
    "delete_endpoint": "onlineEndpoints.delete",
}
WRITES = {
    "prepare_compute": ("PUT", "*/computes/*"),
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


INTERRUPTING = (
    "worker-killed",
    "task-terminated",
    "task-timeout",
    "run-timeout",
    "run-marked-failed",
    "task-marked-failed",
    "task-cleared",
)
"""Faults that end a try of the task while it works."""


def meant_for(run: Run, fault: Json) -> Json:
    """A fault of requests for this run's task alone; the Hub's client tells no name, so its path must do."""
    if run.case.task == "check_data":
        return {**fault, "path": f"/hub/api/datasets/local/{run.unique}*"}
    return {"agent": run.agent, "path": SERVICE, **fault}


def hold_request(run: Run) -> Json:
    """The fault that keeps a task in a request: where it creates something, after the server has acted.

    A signal is heard at once, or never by a task without an ``on_kill``, which then need not be kept for long.
    """
    seconds = SIGNAL_SECONDS + 10 if run.case.fault == "task-terminated" else HELD_SECONDS
    if run.case.task in WRITES:
        method, path = WRITES[run.case.task]
        return meant_for(
            run, {"kind": "late_response", "method": method, "path": path, "delay_seconds": seconds}
        )
    return meant_for(run, {"kind": "delay", "delay_seconds": seconds})


def operation(run: Run, kind: str, **fields: Any) -> Json:
    """A fault of the long operation of the case's task."""
    key = run.conf()["compute_cluster"] if run.case.task == "prepare_compute" else run.endpoint
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
        return [operation(run, "operation_stuck", delay_seconds=75 if case.expected_state == "failed" else 8)]
    if case.fault == "quota-refused":
        return [_quota(run)]
    if case.fault == "step-failed":
        told = {"kind": "job_failed", "step": "chat_completion_finetune", "job": job, "count": None}
        return [{**told, "message": "CUDA out of memory."}]
    if case.fault == "not-responding":
        return [{"kind": "job_status", "step": "chat_completion_finetune", "job": job}]
    if case.fault == "preemption":
        return [{"kind": "preemption", "step": "chat_completion_finetune", "job": job, "delay_seconds": 1}]
    if case.mode == "deferred" and case.task in OPERATIONS and case.fault != "operation-failed":
        return [operation(run, "operation_stuck", delay_seconds=20)]
    return [hold_request(run)] if holds_request(run) else []


def _quota(run: Run) -> Json:
    if run.case.task == "deploy":
        said = "Not enough quota available for Standard_NC6s_v3 in this subscription."
        return operation(run, "operation_failed", count=None, status=400, code="OutOfQuota") | {
            "message": said
        }
    method, path = WRITES[run.case.task]
    code = "ClusterCoreQuotaReached" if run.case.task == "prepare_compute" else "QuotaExceeded"
    said = "Operation results in exceeding quota limits. Maximum allowed: 0."
    told = {"kind": "status", "status": 400, "code": code, "message": said, "count": None}
    return meant_for(run, {**told, "method": method, "path": path})


def holds_request(run: Run) -> bool:
    """Whether the case meets its task in the midst of a request."""
    case = run.case
    if case.task in ("wait_for_job", "verdict"):
        return False
    return case.mode == "sync" and case.fault in (*INTERRUPTING, "service-restarted")


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
