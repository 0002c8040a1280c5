"""What is an orphan: a resource of ours whose Dag run has ended, or is unknown and past its lease."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from azure_ml.bounds import NAME, cut
from azure_ml.lifecycle.tags import DAG_TAG, PROJECT_TAG, RUN_TAG, TASK_TAG, expiry_of, spelled
from azure_ml.payload import Payload

Kind = Literal["endpoint", "deployment", "job"]
RunState = Literal["alive", "ended", "unknown", "no answer"]

ALIVE_STATES: Final = ("queued", "running")
Row: TypeAlias = Payload  # one resource in the report


@dataclass(frozen=True)
class Candidate:
    """A resource that carries our project's tag."""

    kind: Kind
    name: str  # of the endpoint, for a deployment
    state: str
    tags: Mapping[str, str]
    machines: int  # instances of an endpoint's deployments; 1 for a job, which does not say
    deployment: str = ""
    instance_types: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name for people; of a deployment with its endpoint's."""
        return f"{self.name}/{self.deployment}" if self.deployment else self.name

    @property
    def run(self) -> tuple[str, str]:
        """``(dag_id, run_id)`` of the owner; empty texts if the tags do not say."""
        return self.tags.get(DAG_TAG, ""), self.tags.get(RUN_TAG, "")

    @property
    def owner(self) -> dict[str, str]:
        """The tags that it must still carry when it is deleted."""
        return {name: self.tags.get(name, "") for name in (DAG_TAG, RUN_TAG, PROJECT_TAG)}

    def minutes_left(self, now: datetime) -> float:
        """Compute-minutes from now to the end of the lease, for all its machines; 0 past it or without one."""
        end = expiry_of(self.tags)
        return max(0.0, (end - now).total_seconds() / 60) * self.machines if end else 0.0


@dataclass(frozen=True)
class Verdict:
    """Whether to delete a resource, and why."""

    candidate: Candidate
    orphan: bool
    why: str
    doubtful: bool = False  # Airflow did not say


def judge(candidate: Candidate, run: RunState, now: datetime) -> Verdict:
    """Decide about one resource, from what Airflow says about the run that its tags name."""
    dag_id, run_id = candidate.run
    if not dag_id or not run_id:
        return Verdict(candidate, False, "its tags name no Dag run")
    # A living run beats everything, the end of its lease included.
    if run == "alive":
        return Verdict(candidate, False, "its run is alive")
    if run == "no answer":
        return Verdict(candidate, False, "Airflow did not say whether its run is alive", doubtful=True)
    if run == "ended":
        return Verdict(candidate, True, "its run has ended")
    expiry = expiry_of(candidate.tags)
    if expiry is None:
        return Verdict(
            candidate, False, "its run is unknown to Airflow, and no lease says until when it may live"
        )
    if expiry > now:
        return Verdict(
            candidate, False, f"its run is unknown to Airflow, but its lease ends {spelled(expiry)}"
        )
    return Verdict(candidate, True, f"its run is unknown to Airflow, and its lease ended {spelled(expiry)}")


@dataclass
class Report:
    """What a round of the reaper did."""

    dry_run: bool
    found: list[Row] = field(default_factory=list)
    deleted: list[Row] = field(default_factory=list)
    could_not: list[Row] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)
    compute_minutes_saved: float = 0.0

    @classmethod
    def of(cls, verdicts: list[Verdict], problems: Mapping[str, str], *, dry_run: bool) -> Report:
        """From the verdicts of a round and what went wrong, by title."""
        report, now = cls(dry_run), datetime.now(UTC)
        for one in verdicts:
            line = row(one.candidate, one.why)
            report.found.append(line)
            if not one.orphan:
                report.left.append(line)
            elif problem := problems.get(one.candidate.title):
                report.could_not.append(row(one.candidate, problem))
            else:
                report.deleted.append(line)
                report.compute_minutes_saved += one.candidate.minutes_left(now)
        return report

    def summary(self) -> str:
        """The counts, in one sentence."""
        return (
            f"{len(self.found)} found, {len(self.deleted)} {'would be ' if self.dry_run else ''}deleted, "
            f"{len(self.could_not)} could not be, {len(self.left)} left; "
            f"{self.compute_minutes_saved:.0f} compute-minutes saved."
        )

    def as_xcom(self) -> Payload:
        """As plain data, for XCom."""
        return {**vars(self), "compute_minutes_saved": round(self.compute_minutes_saved, 1)}


def row(candidate: Candidate, why: str) -> Row:
    """One resource as a row of the report."""
    dag_id, run_id = candidate.run
    return {
        "kind": candidate.kind,
        "name": candidate.title,
        "state": candidate.state,
        "machines": candidate.machines,
        "instance_types": list(candidate.instance_types),
        "dag_id": cut(dag_id, NAME),
        "run_id": cut(run_id, NAME),
        "task_id": cut(candidate.tags.get(TASK_TAG, ""), NAME),
        "expires_at": spelled(end) if (end := expiry_of(candidate.tags)) else None,
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
