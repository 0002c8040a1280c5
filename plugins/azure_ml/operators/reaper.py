"""The reaper: finds what runs have left behind, and deletes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure_ml.errors import AzureMLError, OperationFailed
from azure_ml.hook.online.entities import Deployment, Endpoint
from azure_ml.lifecycle.reaping import ALIVE_STATES, Found, Report, RunState, Verdict, judge, row, table
from azure_ml.lifecycle.tags import PROJECT_TAG
from azure_ml.operators.base import AzureMLOperator, truth
from azure_ml.states import may_be_canceled

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLReapOperator(AzureMLOperator):
    """Delete endpoints, deployments and jobs that this Airflow's runs have left behind, and look that they go.

    What lacks the tag of the connection's project is never touched, nor is what belongs to a run that is
    queued or running, however long past its lease. Deleted is what belongs to a run that has ended, and what
    belongs to a run unknown to Airflow once its lease is over. A deployment goes with its endpoint; under an
    endpoint that is not an orphan it is deleted alone.

    A failure with one resource does not keep the others from being tried; the task fails in the end.

    Args:
        report_only: delete nothing.
        timeout_seconds: how long to look for the end of all that is deleted.
        sleep: how to pause.

    Returns:
        ``{"dry_run": bool, "found": list, "deleted": list, "could_not": list, "left": list,
        "compute_minutes_saved": float}``. Each entry of a list says kind, name, state, machines, run, lease
        and why. If nothing is deleted, ``deleted`` is what would have been. Compute-minutes saved are, for each thing
        deleted, the minutes from now to the end of its lease, times its machines: what it could still have
        cost before anybody had a right to call it expired. A thing past its lease counts 0, a job 1 machine.

    Raises:
        OperationFailed: if something could not be deleted, or Airflow did not say whether its run is alive.

    Example::

        AzureMLReapOperator(task_id="reap", report_only="{{ params.dry_run }}")
    """

    template_fields = (*AzureMLOperator.template_fields, "report_only")

    def __init__(
        self,
        *,
        report_only: bool | str = False,
        timeout_seconds: float = 1800,
        sleep: Callable[[float], None] = time.sleep,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.report_only = report_only
        self.timeout_seconds = timeout_seconds
        self.sleep = sleep

    def execute(self, context: Context) -> dict[str, Any]:
        """Look, judge, delete, look again, report."""
        report = Report(dry_run=truth(self.report_only))
        verdicts = self._judged(context, list(self._found()))
        report.found = [row(one.found, one.why) for one in verdicts]
        report.left = [row(one.found, one.why) for one in verdicts if not one.orphan]
        orphans = [one for one in verdicts if one.orphan]
        doubts = [one for one in report.left if "did not say" in one["why"]]
        if report.dry_run:
            self._count(report, orphans, {})
        else:
            self._count(report, orphans, self._delete(context, orphans))
        self.log.info("Looked for what runs have left behind:\n%s", table(report))
        self.log.info(
            "%d found, %d %s, %d could not be, %d left; %.0f compute-minutes saved.",
            len(report.found),
            len(report.deleted),
            "would be deleted" if report.dry_run else "deleted",
            len(report.could_not),
            len(report.left),
            report.compute_minutes_saved,
        )
        context["ti"].xcom_push(key="return_value", value=report.as_xcom())
        if problems := [*report.could_not, *doubts]:
            told = "; ".join(f"{one['kind']} {one['name']!r}: {one['why']}" for one in problems)
            raise OperationFailed(f"Not all that was found could be dealt with: {told}")
        return report.as_xcom()

    def _found(self) -> Iterator[Found]:
        """All that carries our project's tag; a deployment only where its endpoint does not."""
        project = self.hook.settings.project
        for endpoint in self.hook.endpoints.list():
            deployments = self.hook.deployments.list(endpoint.name)
            if endpoint.tags.get(PROJECT_TAG) == project:
                yield _of_endpoint(endpoint, deployments)
            for deployment in deployments:
                # One under an endpoint of the same run goes along with it.
                if deployment.tags.get(PROJECT_TAG) == project and not _same_run(deployment, endpoint):
                    yield _of_deployment(deployment)
        for job in self.hook.jobs.owned({PROJECT_TAG: project}):
            if may_be_canceled(job.status):
                yield Found("job", job.name, job.status, job.tags, 1)

    def _judged(self, context: Context, found: list[Found]) -> list[Verdict]:
        """Ask Airflow after the resources were listed: what a run makes later is none of this round's."""
        runs = {one.run: self._run_state(context, *one.run) for one in found}
        now = datetime.now(UTC)
        return [judge(one, runs[one.run], now) for one in found]

    def _run_state(self, context: Context, dag_id: str, run_id: str) -> RunState:
        """Counting, as Airflow's route for one run's state takes no id with a slash in it."""
        ti: Any = context["ti"]
        try:
            if ti.get_dr_count(dag_id=dag_id, run_ids=[run_id], states=list(ALIVE_STATES)):
                return "alive"
            return "ended" if ti.get_dr_count(dag_id=dag_id, run_ids=[run_id]) else "unknown"
        except Exception as error:
            self.log.warning("Airflow does not say whether %s of %s is alive: %s", run_id, dag_id, error)
            return "not told"

    def _delete(self, context: Context, orphans: list[Verdict]) -> dict[str, str]:
        """Begin all deletions, then look at each; returns what went wrong, by title."""
        problems: dict[str, str] = {}
        end = time.monotonic() + self.timeout_seconds
        for step in (self._begin, self._finish):
            for one in orphans:
                if one.found.title in problems:
                    continue
                try:
                    # A run may have been brought back to life since the question.
                    if self._run_state(context, *one.found.run) in ("alive", "not told"):
                        problems[one.found.title] = "its run has come back to life, or cannot be asked for"
                        continue
                    step(one.found, max(0.0, end - time.monotonic()))
                except AzureMLError as error:
                    problems[one.found.title] = str(error)
        return problems

    def _begin(self, found: Found, _: float) -> None:
        if found.kind == "job":
            self.hook.jobs.cancel(found.name)
        elif found.kind == "endpoint" and not self.hook.deployments.any_active(found.name):
            try:
                self.hook.endpoints.begin_delete(found.name, found.owner)
            except AzureMLError as error:
                self.log.info("The endpoint %s cannot be deleted yet: %s", found.name, error)

    def _finish(self, found: Found, seconds: float) -> None:
        if found.kind == "job":
            self.hook.jobs.end(found.name, seconds, self.sleep)
        elif found.kind == "endpoint":
            self.hook.endpoints.delete(found.name, found.owner, seconds, self.sleep)
        elif deployment := self.hook.deployments.get(found.name, found.deployment):
            self.hook.deployments.delete(deployment, seconds, self.sleep)

    @staticmethod
    def _count(report: Report, orphans: list[Verdict], problems: dict[str, str]) -> None:
        now = datetime.now(UTC)
        for one in orphans:
            if why := problems.get(one.found.title):
                report.could_not.append(row(one.found, why))
            else:
                report.deleted.append(row(one.found, one.why))
                report.compute_minutes_saved += one.found.minutes_left(now)


def _of_endpoint(endpoint: Endpoint, deployments: list[Deployment]) -> Found:
    return Found(
        "endpoint",
        endpoint.name,
        endpoint.state,
        endpoint.tags,
        sum(one.instance_count for one in deployments),
        instance_types=tuple(sorted({one.instance_type for one in deployments})),
    )


def _of_deployment(one: Deployment) -> Found:
    return Found(
        "deployment",
        one.endpoint,
        one.state,
        one.tags,
        one.instance_count,
        one.name,
        (one.instance_type,),
    )


def _same_run(deployment: Deployment, endpoint: Endpoint) -> bool:
    return endpoint.belongs_to(_of_deployment(deployment).owner)
