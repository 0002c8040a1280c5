"""What is an orphan: a resource of ours whose Dag run has ended, or is unknown and past its lease.

Pure decisions over what was found; :mod:`azure_ml.operators.reaper` looks and acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from azure_ml.lifecycle.tags import DAG_TAG, PROJECT_TAG, RUN_TAG, TASK_TAG, expiry_of, spelled

Kind = Literal["endpoint", "deployment", "job"]
RunState = Literal["alive", "ended", "unknown", "not told"]

ALIVE_STATES: Final = ("queued", "running")


@dataclass(frozen=True)
class Found:
    """A resource that carries our project's tag.

    Attributes:
        kind: what it is.
        name: of the resource; of the endpoint for a deployment, too.
        deployment: name of the deployment, if it is one.
        state: as the service wrote it.
        tags: of the resource.
        machines: that it holds: instances of an endpoint's deployments; 1 for a job, which does not say.
        instance_types: VM sizes of these machines, as far as they are told.
    """

    kind: Kind
    name: str
    state: str
    tags: Mapping[str, str]
    machines: int
    deployment: str = ""
    instance_types: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name for people; a deployment is named with its endpoint."""
        return f"{self.name}/{self.deployment}" if self.deployment else self.name

    @property
    def run(self) -> tuple[str, str]:
        """``(dag_id, run_id)`` of the owner; empty texts if the tags do not say."""
        return self.tags.get(DAG_TAG, ""), self.tags.get(RUN_TAG, "")

    @property
    def owner(self) -> dict[str, str]:
        """The tags that it has to carry still when it is deleted."""
        return {name: self.tags.get(name, "") for name in (DAG_TAG, RUN_TAG, PROJECT_TAG)}

    def minutes_left(self, now: datetime) -> float:
        """Compute-minutes from now to the end of the lease, for all its machines; 0 past it or without one."""
        end = expiry_of(self.tags)
        return max(0.0, (end - now).total_seconds() / 60) * self.machines if end else 0.0


@dataclass(frozen=True)
class Verdict:
    """Whether something found is to be deleted, and why."""

    found: Found
    orphan: bool
    why: str


def judge(found: Found, run: RunState, now: datetime) -> Verdict:
    """Decide about one resource. That its run is alive beats everything, the end of its lease included.

    Args:
        found: the resource.
        run: what Airflow says about the run of its tags.
        now: the time, with a zone.
    """
    dag_id, run_id = found.run
    if not dag_id or not run_id:
        return Verdict(found, False, "its tags name no Dag run")
    if run == "alive":
        return Verdict(found, False, "its run is alive")
    if run == "not told":
        return Verdict(found, False, "Airflow did not say whether its run is alive")
    if run == "ended":
        return Verdict(found, True, "its run has ended")
    expiry = expiry_of(found.tags)
    if expiry is None:
        return Verdict(
            found, False, "its run is unknown to Airflow, and no lease says until when it may live"
        )
    if expiry > now:
        return Verdict(found, False, f"its run is unknown to Airflow, but its lease ends {spelled(expiry)}")
    return Verdict(found, True, f"its run is unknown to Airflow, and its lease ended {spelled(expiry)}")


@dataclass
class Report:
    """What a round of the reaper has found and done; each list has rows of :func:`row`."""

    dry_run: bool
    found: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[dict[str, Any]] = field(default_factory=list)
    could_not: list[dict[str, Any]] = field(default_factory=list)
    left: list[dict[str, Any]] = field(default_factory=list)
    compute_minutes_saved: float = 0.0

    def as_xcom(self) -> dict[str, Any]:
        """As a dictionary for XCom."""
        return {**vars(self), "compute_minutes_saved": round(self.compute_minutes_saved, 1)}


def row(found: Found, why: str) -> dict[str, Any]:
    """One resource as a row of the report."""
    dag_id, run_id = found.run
    return {
        "kind": found.kind,
        "name": found.title,
        "state": found.state,
        "machines": found.machines,
        "instance_types": list(found.instance_types),
        "dag_id": dag_id,
        "run_id": run_id,
        "task_id": found.tags.get(TASK_TAG, ""),
        "expires_at": spelled(end) if (end := expiry_of(found.tags)) else None,
        "why": why,
    }


def table(report: Report) -> str:
    """The report as a table for the log."""
    import io

    from rich.console import Console
    from rich.table import Table

    columns = ("kind", "name", "state", "machines", "dag_id", "run_id", "expires_at", "why")
    drawn = Table("outcome", *columns)
    done = "would delete" if report.dry_run else "deleted"
    for outcome, rows in ((done, report.deleted), ("could not", report.could_not), ("left", report.left)):
        for one in rows:
            drawn.add_row(outcome, *(str(one[name] if one[name] is not None else "-") for name in columns))
    out = io.StringIO()
    Console(file=out, width=200).print(drawn)
    return out.getvalue()
