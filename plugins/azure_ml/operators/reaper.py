"""The reaper: deletes what runs have left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure_ml.bounds import bounded
from azure_ml.errors import AzureMLError, OperationFailed
from azure_ml.hook.online.entities import Deployment, Endpoint
from azure_ml.lifecycle.reaping import ALIVE_STATES, Candidate, Report, RunState, Verdict, judge, row, table
from azure_ml.lifecycle.tags import PROJECT_TAG
from azure_ml.operators.base import AzureMLOperator, Result
from azure_ml.operators.rendered import truth
from azure_ml.states import may_be_canceled

if TYPE_CHECKING:
    from airflow.sdk import Context


class AzureMLReapOperator(AzureMLOperator):
    """Delete endpoints, deployments and jobs that this Airflow's runs have left behind, and wait until they go.

    It never touches what lacks the tag of the connection's project, nor what belongs to a run that is queued or
    running, however long past its lease. It deletes what belongs to a run that has ended, and what belongs to a run
    unknown to Airflow once its lease is over. After a failure it goes on with the others and fails in the end.

    Returns :meth:`azure_ml.lifecycle.reaping.Report.as_xcom`; in a dry run ``deleted`` is what would have been.
    """

    template_fields = (*AzureMLOperator.template_fields, "report_only")

    def __init__(
        self,
        *,
        report_only: bool | str = False,  # delete nothing
        timeout_seconds: float = 1800,  # for all deletions together
        sleep: Callable[[float], None] = time.sleep,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.report_only = report_only
        self.timeout_seconds = timeout_seconds
        self.sleep = sleep

    def execute(self, context: Context) -> Result:
        """List, judge, delete, report."""
        # Airflow is asked after the list is complete: what a run creates later is none of this round's.
        verdicts = self._judged(context, list(self._candidates()))
        orphans = [one for one in verdicts if one.orphan]
        dry_run = truth(self.report_only)
        problems = {} if dry_run else self._delete(context, orphans)
        report = Report.of(verdicts, problems, dry_run=dry_run)
        self.log.info("Looked for what runs have left behind:\n%s\n%s", table(report), report.summary())
        result = bounded(report.as_xcom())
        context["ti"].xcom_push(key="return_value", value=result)
        if bad := [*report.could_not, *(row(one.candidate, one.why) for one in verdicts if one.doubtful)]:
            reasons = "; ".join(f"{one['kind']} {one['name']!r}: {one['why']}" for one in bad)
            raise OperationFailed(f"Not all that was found could be dealt with: {reasons}")
        return result

    def _candidates(self) -> Iterator[Candidate]:
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
                yield Candidate("job", job.name, job.status, job.tags, 1)

    def _judged(self, context: Context, candidates: list[Candidate]) -> list[Verdict]:
        runs = {one.run: self._run_state(context, *one.run) for one in candidates}
        now = datetime.now(UTC)
        return [judge(one, runs[one.run], now) for one in candidates]

    def _run_state(self, context: Context, dag_id: str, run_id: str) -> RunState:
        # By counting, as Airflow's route for one run's state takes no id with a slash in it.
        ti = context["ti"]
        try:
            if ti.get_dr_count(dag_id=dag_id, run_ids=[run_id], states=list(ALIVE_STATES)):
                return "alive"
            return "ended" if ti.get_dr_count(dag_id=dag_id, run_ids=[run_id]) else "unknown"
        except Exception as error:
            self.log.warning("Airflow does not say whether %s of %s is alive: %s", run_id, dag_id, error)
            return "no answer"

    def _delete(self, context: Context, orphans: list[Verdict]) -> dict[str, str]:
        """Begin all deletions, then wait for each; returns what went wrong, by title."""
        problems: dict[str, str] = {}
        end = time.monotonic() + self.timeout_seconds
        for step in (self._begin, self._finish):
            for candidate in (one.candidate for one in orphans if one.candidate.title not in problems):
                try:
                    # A clear may have brought the run back to life since the question.
                    if self._run_state(context, *candidate.run) in ("alive", "no answer"):
                        problems[candidate.title] = "its run has come back to life, or cannot be asked for"
                    else:
                        step(candidate, max(0.0, end - time.monotonic()))
                except AzureMLError as error:
                    problems[candidate.title] = str(error)
        return problems

    def _begin(self, candidate: Candidate, _: float) -> None:
        if candidate.kind == "job":
            self.hook.jobs.cancel(candidate.name, candidate.owner)
        elif candidate.kind == "endpoint" and not self.hook.deployments.any_active(candidate.name):
            try:
                self.hook.endpoints.begin_delete(candidate.name, candidate.owner)
            except AzureMLError as error:
                self.log.info("The endpoint %s cannot be deleted yet: %s", candidate.name, error)

    def _finish(self, candidate: Candidate, seconds: float) -> None:
        if candidate.kind == "job":
            self.hook.jobs.end(candidate.name, candidate.owner, seconds, self.sleep)
        elif candidate.kind == "endpoint":
            self.hook.endpoints.delete(candidate.name, candidate.owner, seconds, self.sleep)
        elif deployment := self.hook.deployments.get(candidate.name, candidate.deployment):
            self.hook.deployments.delete(deployment, candidate.owner, seconds, self.sleep)


def _of_endpoint(endpoint: Endpoint, deployments: list[Deployment]) -> Candidate:
    return Candidate(
        "endpoint",
        endpoint.name,
        endpoint.state,
        endpoint.tags,
        sum(one.instance_count for one in deployments),
        instance_types=tuple(sorted({one.instance_type for one in deployments})),
    )


def _of_deployment(one: Deployment) -> Candidate:
    return Candidate(
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
