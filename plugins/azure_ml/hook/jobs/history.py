"""A job in run history: its steps, the time it has taken, and why it failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from azure_ml.bounds import NAME, TAIL_BYTES, cut, last_lines
from azure_ml.errors import ServiceFailure
from azure_ml.hook import _sdk
from azure_ml.hook._translate import text, translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.jobs.budgets import Span, Usage, usage
from azure_ml.hook.jobs.failures import ENDS, Failure, failure
from azure_ml.hook.jobs.log_files import STEP_LOG, LogReader, urls_of
from azure_ml.states import is_success

if TYPE_CHECKING:
    from azure.ai.ml._restclient.runhistory.models import Run


@dataclass(frozen=True)
class Step:
    """A run below a job."""

    run_id: str
    name: str
    status: str
    depth: int  # 1 is a direct child
    parent: str
    span: Span = field(default_factory=Span)


class JobHistory:
    """``hook.history``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._reader = LogReader()

    def steps(self, job_name: str) -> list[Step]:
        """All runs below a job, parents before children."""
        with translated(f"list the steps of the job {job_name!r}"):
            return list(self._walk(job_name, 1))

    def usage(self, job_name: str, steps: list[Step] | None = None) -> Usage:
        """How long the job has waited and run so far; ``steps`` saves reading them again."""
        runs = self.steps(job_name) if steps is None else steps
        with translated(f"read the times of the job {job_name!r}"):
            job = _span(_sdk.run_record(self._clients.workspace_client, job_name))
        leaves = [step.span for step in _leaves(runs)]
        return usage(job, leaves, datetime.now(UTC))

    def failure(self, job_name: str) -> Failure:
        """Why a job failed: the failed step, the service's message, the cause, and the end of the log."""
        failed = _leaves([step for step in self.steps(job_name) if step.status == "Failed"])
        run, name = (failed[0].run_id, failed[0].name) if failed else (job_name, "")
        with translated(f"read why the job {job_name!r} failed"):
            details = _sdk.run_details(self._clients.workspace_client, run)
            logs = [self._reader.tail(url, TAIL_BYTES) for url in urls_of(details, STEP_LOG).values()]
        lines = [line.decode(errors="replace") for log in logs for line in log.splitlines()]
        return failure(getattr(details.error, "error", None), name, last_lines(lines))

    def require_completed(self, job_name: str, status: str) -> None:
        """Accept nothing but ``Completed``; raises the error that the state, or a failure's cause, calls for."""
        if is_success("job", status, job_name):
            return
        if status.lower() == "failed":
            raise self.failure(job_name).error(job_name)
        if kind := ENDS.get(status.lower()):
            raise kind(f"The job {job_name!r} is in state {status!r} and not 'Completed': {kind.cure}.")
        raise ServiceFailure(
            f"The log of the job {job_name!r} has ended while it is in state {status!r}: wait again."
        )

    def _walk(self, run: str, depth: int) -> Iterator[Step]:
        for child in _sdk.child_runs(self._clients.workspace_client, run):
            name = cut(str(child.display_name or child.name or child.run_id), NAME)
            yield Step(str(child.run_id), name, text(child.status), depth, run, _span(child))
            yield from self._walk(str(child.run_id), depth + 1)


def _leaves(steps: list[Step]) -> list[Step]:
    parents = {step.parent for step in steps}
    return [step for step in steps if step.run_id not in parents]


def _span(run: Run) -> Span:
    return Span(run.created_utc, run.start_time_utc, run.end_time_utc)
