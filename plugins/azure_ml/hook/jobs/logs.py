"""The log of a job, and those of the steps below it, line by line and each line once."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import AzureMLError, JobNotCompleted
from azure_ml.hook import _sdk
from azure_ml.hook._polling import Patience, interval_seconds
from azure_ml.hook._translate import masked, text, translated
from azure_ml.hook.jobs.budgets import Span, Usage, usage
from azure_ml.hook.jobs.failures import Failure, failure
from azure_ml.hook.jobs.lines import PrintedLines, Shown, Speaker
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure_ml.hook._http import RetryingClient
    from azure_ml.hook.client import AzureMLHook

Emit = Callable[[str], None]
Note = Callable[[Shown], None]

STEP_LOG: Final = re.compile(r"user_logs/std_log[\D]*[0]*(?:_ps)?\.txt")
"""The log of a command's first process; the pattern by which ``jobs.stream`` chooses, too."""
JOB_LOG: Final = re.compile(r"logs/azureml/executionlogs\.txt|" + STEP_LOG.pattern)
"""The log of a pipeline, or of a job that is one command."""
CHUNK_BYTES: Final = 1 << 20
"""What is read, passed on and noted at a time: at most this much is repeated after a crash."""


@dataclass(frozen=True)
class Step:
    """A run below a job; ``depth`` 1 is a direct child."""

    run_id: str
    name: str
    status: str
    depth: int
    parent: str
    span: Span = field(default_factory=Span)


class JobLogs:
    """``hook.logs``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    def steps(self, job_name: str) -> list[Step]:
        """All runs below a job, parents before children."""
        with translated(f"list the steps of the job {job_name!r}"):
            return list(self._walk(job_name, 1))

    def usage(self, job_name: str, steps: list[Step] | None = None) -> Usage:
        """How long the job has waited and run so far, from run history alone."""
        found = self.steps(job_name) if steps is None else steps
        with translated(f"read the times of the job {job_name!r}"):
            job = _span(_sdk.run_record(self._hook.workspace_client, job_name))
        parents = {step.parent for step in found}
        return usage(job, [step.span for step in found if step.run_id not in parents], datetime.now(UTC))

    def stream(
        self,
        job_name: str,
        emit: Emit,
        *,
        shown: Shown | None = None,
        note: Note = lambda _: None,
        watch: Callable[[list[Step]], None] = lambda _: None,
    ) -> None:
        """Pass on the logs of the job and of its steps, until ``jobs.stream`` says that it has ended.

        ``jobs.stream`` prints, knows the log of the pipeline alone, and has no end of its own; so it runs in
        a thread, and the logs are followed beside it. It returns normally for most ways in which a job can
        end: ask for the state afterwards.

        Args:
            job_name: of the job.
            emit: takes one line.
            shown: how far the logs have been passed on before; kept up to date.
            note: called when ``shown`` has changed.
            watch: called after each look at the steps; what it raises ends the streaming.

        Raises:
            AzureMLError: if the service cannot be asked any more.
        """
        shown = shown or Shown(job_name)
        looking, streaming = Patience(), Patience()
        out = PrintedLines(sys.stdout)
        with contextlib.redirect_stdout(out):
            speaker = Speaker(self._hook, job_name, out)
            ended = through = False
            while not through:
                if not ended:
                    speaker.join(interval_seconds())
                # One look more after the end, for what was written since the last.
                through, ended = ended, not speaker.is_alive()
                if speaker.pass_on(emit):
                    streaming.restored()
                try:
                    watch(self.pump(job_name, emit, shown=shown, note=note, whole=True))
                    looking.restored()
                except JobNotCompleted:
                    raise
                except AzureMLError as error:
                    self._bear(error, looking, emit)
                    through = False
                if ended and speaker.error is not None:
                    self._bear(speaker.error, streaming, emit)
                    speaker, ended, through = Speaker(self._hook, job_name, out), False, False

    def _bear(self, error: AzureMLError, patience: Patience, emit: Emit) -> None:
        if patience.is_over(error, self._hook):
            raise error
        time.sleep(interval_seconds())
        emit(f"Look {patience.failed_looks} at the job failed: {error}")

    def pump(
        self,
        job_name: str,
        emit: Emit,
        *,
        shown: Shown | None = None,
        note: Note = lambda _: None,
        whole: bool = False,
    ) -> list[Step]:
        """Pass on what the steps have written since the last call.

        Args:
            job_name: of the job.
            emit: takes one line.
            shown: how far the logs have been passed on before; kept up to date.
            note: called after each megabyte, and once a file.
            whole: the job's own log, too.

        Returns:
            The steps.
        """
        shown = shown or Shown(job_name)
        steps = self.steps(job_name)
        if whole:
            self._pump_run(Step(job_name, "", self._hook.jobs.status(job_name), 0, ""), emit, shown, note)
        for step in steps:
            if step.run_id not in shown.finished:
                self._pump_run(step, emit, shown, note)
        return steps

    def failure(self, job_name: str, lines: int = 15) -> Failure:
        """Why a job failed: the failed step, the service's message, the cause, and the end of the log."""
        failed = [step for step in self.steps(job_name) if step.status == "Failed"]
        parents = {step.parent for step in failed}
        innermost = next((step for step in failed if step.run_id not in parents), None)
        with translated(f"read why the job {job_name!r} failed"):
            details = _sdk.run_details(
                self._hook.workspace_client, innermost.run_id if innermost else job_name
            )
            logs = _logs(details, STEP_LOG)
            tail = [line for url in logs.values() for line in self._read(url, 0).splitlines()][-lines:]
        error = getattr(details.error, "error", None)
        name = innermost.name if innermost else ""
        return failure(error, name, [line.decode(errors="replace") for line in tail])

    @cached_property
    def _http(self) -> RetryingClient:
        from azure_ml.hook._http import RetryingClient

        return RetryingClient()

    def _walk(self, run: str, depth: int) -> Iterator[Step]:
        for child in _sdk.child_runs(self._hook.workspace_client, run):
            name = str(child.display_name or child.name or child.run_id)
            yield Step(str(child.run_id), name, text(child.status), depth, run, _span(child))
            yield from self._walk(str(child.run_id), depth + 1)

    def _pump_run(self, step: Step, emit: Emit, shown: Shown, note: Note) -> None:
        ended = phase("job", step.status, step.run_id) is not Phase.ACTIVE
        prefix = f"[{step.name}] " if step.name else ""
        with translated(f"read the log of the step {step.name!r}"):
            details = _sdk.run_details(self._hook.workspace_client, step.run_id)
            for file, url in _logs(details, STEP_LOG if step.depth else JOB_LOG).items():
                key = f"{step.run_id}/{file}"
                while lines := self._next_lines(url, key, shown, ended=ended):
                    for line in lines:
                        emit(prefix + masked(line.decode(errors="replace")))
                    note(shown)
        if ended and step.depth:
            shown.finished.append(step.run_id)

    def _next_lines(self, url: str, key: str, shown: Shown, *, ended: bool) -> list[bytes]:
        """The next whole lines of a log; of one that has ended, or of a line without end, all there is."""
        content = self._read(url, shown.offsets.get(key, 0), CHUNK_BYTES)
        end = content.rfind(b"\n") + 1
        if (len(content) < CHUNK_BYTES and ended) or (len(content) == CHUNK_BYTES and not end):
            end = len(content)
        if not end:
            return []
        shown.offsets[key] = shown.offsets.get(key, 0) + end
        return content[:end].removesuffix(b"\n").split(b"\n")

    def _read(self, url: str, offset: int, size: int | None = None) -> bytes:
        """Up to ``size`` bytes after ``offset`` of a log."""
        last = "" if size is None else offset + size - 1
        answer = self._http.get(url, headers={"Range": f"bytes={offset}-{last}"})
        if answer.status_code in (404, 416):
            return b""
        answer.raise_for_status()
        content = answer.content if answer.status_code == 206 else answer.content[offset:]
        return content[:size]


def _span(run: Any) -> Span:
    return Span(run.created_utc, run.start_time_utc, run.end_time_utc)


def _logs(details: Any, wanted: re.Pattern[str]) -> dict[str, str]:
    return {file: url for file, url in sorted((details.log_files or {}).items()) if wanted.fullmatch(file)}
