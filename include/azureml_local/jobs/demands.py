"""What a command asks of the machines that it runs on; what is not served here is refused, and nothing dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from azureml_local.arm.durations import seconds
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.compute.nodes import SERVERLESS
from azureml_local.jobs.expressions import field, part

TIERS: Final = ("null", "standard", "spot", "basic", "premium")
PRIORITIES: Final = {"low": 1, "medium": 2, "high": 3}
_OWN_SERVICES: Final = ("tracking", "studio")


@dataclass(frozen=True)
class Demands:
    """Machines and time."""

    # Name of the cluster; ``serverless`` needs none.
    compute: str = SERVERLESS
    # How many nodes it takes.
    instances: int = 1
    # VM size on serverless compute; None is the default one.
    instance_type: str | None = None
    # Whether serverless nodes may be taken away.
    low_priority: bool = False
    # Place in the line of serverless compute, 1 (low) to 3 (high).
    priority: int = 2
    # Seconds that it may run; None is as long as it likes.
    timeout: float | None = None
    # Kind of its distribution, in lower case; empty if it has none.
    distribution: str = ""
    # Of its distribution, on all nodes together.
    processes: int = 1


def short_compute(raw: str | None) -> str:
    """Name of a cluster from its name, ``azureml:<name>`` or ARM id."""
    return (raw or "").rstrip("/").rpartition("/")[2].removeprefix("azureml:")


def demands(body: Json, where: str, default_compute: str, fill: Callable[[str], str] = str) -> Demands:
    """What a node, or the properties of a command job, ask for.

    Args:
        body: in the spelling of components or of ARM.
        where: the node or job, for messages.
        default_compute: compute of the pipeline, empty if it has none.
        fill: puts the inputs of the pipeline into a text.

    Raises:
        ArmError: 400 for what is wrong; 501 for what is not served.
    """
    _refuse_unserved(body, where)
    resources, queue = part(body, "resources"), part(body, "queue_settings")
    compute = fill(str(field(body, "compute_id") or body.get("compute") or ""))
    tier = str(field(queue, "job_tier") or "null").lower()
    if tier not in TIERS:
        raise ArmError(400, "UserError", f"{where} has the job tier {tier!r}: use one of {', '.join(TIERS)}.")
    instances = _count(resources, "instance_count", where, fill)
    distribution = part(body, "distribution")
    kind = str(field(distribution, "distribution_type") or distribution.get("type") or "").lower()
    each = _count(distribution, "process_count_per_instance", where, fill)
    return Demands(
        compute=short_compute(compute) or default_compute or SERVERLESS,
        instances=instances,
        instance_type=fill(str(field(resources, "instance_type") or "")) or None,
        low_priority=tier == "spot",
        priority=_priority(queue.get("priority"), where),
        timeout=_timeout(part(body, "limits").get("timeout"), where, fill),
        distribution=kind,
        processes=instances * each if kind else 1,
    )


def _refuse_unserved(body: Json, where: str) -> None:
    for name, service in part(body, "services").items():
        kind = str(field(service or {}, "job_service_type") or (service or {}).get("type") or name)
        if kind.lower() not in _OWN_SERVICES:
            raise _unserved(where, f"the service {name!r} of type {kind!r}, and interactive services")
    properties = part(part(body, "resources"), "properties")
    for name in properties:
        raise _unserved(where, f"the resource property {name!r}, and machines outside of Azure ML's own")
    if field(body, "parent_job_name"):
        raise _unserved(where, f"parentJobName {field(body, 'parent_job_name')!r}, and jobs below other jobs")
    kind = str(
        field(part(body, "distribution"), "distribution_type") or part(body, "distribution").get("type") or ""
    )
    if kind and kind.lower() not in ("pytorch", "mpi"):
        raise _unserved(where, f"a distribution of type {kind!r}, and those other than PyTorch and Mpi")


def _unserved(where: str, what: str) -> ArmError:
    return ArmError(501, "NotImplemented", f"{where} has {what} are not served by the local Azure ML.")


def _count(body: Json, name: str, where: str, fill: Callable[[str], str]) -> int:
    given = field(body, name)
    text = "1" if given is None else fill(str(given)) or "1"
    if not text.isdecimal() or int(text) < 1:
        raise ArmError(
            400, "UserError", f"{where} has {name} {text!r}: give a whole number from 1.", target=name
        )
    return int(text)


def _priority(given: Any, where: str) -> int:
    if given is None:
        return PRIORITIES["medium"]
    number = PRIORITIES.get(str(given).lower(), given)
    if number not in PRIORITIES.values():
        raise ArmError(
            400, "UserError", f"{where} has the priority {given!r}: use one of {', '.join(PRIORITIES)}."
        )
    return int(number)


def _timeout(given: Any, where: str, fill: Callable[[str], str]) -> float | None:
    """Seconds of ``PT1M30S``, or of a plain number of seconds as components have it."""
    if given is None:
        return None
    text = fill(str(given))
    limit = float(text) if text.replace(".", "", 1).isdecimal() else seconds(text)
    if limit <= 0:
        raise ArmError(400, "UserError", f"{where} has the timeout {given!r}: give more than 0 seconds.")
    return limit
