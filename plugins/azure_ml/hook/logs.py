"""The log of a job, and those of the steps below it, line by line and each line once."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import AzureMLError
from azure_ml.hook import sdk
from azure_ml.hook.polling import interval_seconds
from azure_ml.hook.translate import masked, reason_of, text, translated
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure_ml.hook.base import AzureMLHook

Emit = Callable[[str], None]

STEP_LOG: Final = re.compile(r"user_logs/std_log[\D]*[0]*(?:_ps)?\.txt")
"""The log of a command's first process; the pattern by which ``jobs.stream`` chooses, too."""


@dataclass(frozen=True)
class Step:
    """A run below a job; ``depth`` 1 is a direct child."""

    run_id: str
    name: str
    status: str
    depth: int
    parent: str


@dataclass
class _Follower:
    """How far each step's log has been passed on."""

    offsets: dict[str, int] = field(default_factory=dict)
    ends: dict[str, bytes] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)


class LineWriter(io.TextIOBase):
    """A text stream that passes each whole line on."""

    def __init__(self, emit: Emit) -> None:
        self._emit, self._rest, self._busy = emit, "", False

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Pass on the lines that ``text`` completes."""
        if self._busy:
            # A log handler that prints to what is standard output just now would come round here for ever.
            return sys.__stdout__.write(text) if sys.__stdout__ else len(text)
        *lines, self._rest = (self._rest + text).split("\n")
        self._busy = True
        try:
            for line in lines:
                self._emit(line)
        finally:
            self._busy = False
        return len(text)

    def close(self) -> None:
        """Pass on what has no line end."""
        if self._rest:
            self._emit(self._rest)
            self._rest = ""
        super().close()


class JobLogs:
    """``hook.logs``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook
        self._follower = _Follower()

    def steps(self, job_name: str) -> list[Step]:
        """All runs below a job, parents before children."""
        with translated(f"list the steps of the job {job_name!r}"):
            return list(self._walk(job_name, 1))

    def stream(self, job_name: str, emit: Emit) -> None:
        """Pass on the log of the job, from ``jobs.stream``, and of its steps, until the job has ended.

        ``jobs.stream`` prints, and it prints the log of the pipeline alone; so its output is caught, and a
        thread beside it follows the steps. It returns normally for most ways in which a job can end: ask for
        the state afterwards.

        Args:
            job_name: of the job.
            emit: takes one line.
        """
        over = threading.Event()
        follower = threading.Thread(target=self._follow, args=(job_name, emit, over), daemon=True)
        follower.start()
        try:
            with contextlib.closing(LineWriter(emit)) as out, contextlib.redirect_stdout(out):
                self._stream_job(job_name, emit)
        finally:
            over.set()
        follower.join(timeout=60)
        self.pump(job_name, emit)

    def pump(self, job_name: str, emit: Emit) -> None:
        """Pass on what the steps have written since the last call."""
        for step in self.steps(job_name):
            if step.run_id not in self._follower.finished:
                self._pump_step(step, emit)

    def failure(self, job_name: str, lines: int = 15) -> str:
        """Why a job failed: the failed step, the service's message, and the last lines of its log."""
        failed = [step for step in self.steps(job_name) if step.status == "Failed"]
        parents = {step.parent for step in failed}
        innermost = next((step for step in failed if step.run_id not in parents), None)
        run = innermost.run_id if innermost else job_name
        with translated(f"read why the job {job_name!r} failed"):
            details = sdk.run_details(self._hook.workspace_client, run)
            tail = [line for url in _logs(details).values() for line in self._read(url, 0)[0].splitlines()][
                -lines:
            ]
        where = f"its step {innermost.name!r}" if innermost else "no step of it"
        message = reason_of(getattr(details.error, "error", None) or "no message")
        last = "\n".join(masked(line.decode(errors="replace")) for line in tail)
        return f"{where} failed: {message}" + (f"\nIts last lines:\n{last}" if last else "")

    def _walk(self, run: str, depth: int) -> Iterator[Step]:
        for child in sdk.child_runs(self._hook.workspace_client, run):
            name = str(child.display_name or child.name or child.run_id)
            yield Step(str(child.run_id), name, text(child.status), depth, run)
            yield from self._walk(str(child.run_id), depth + 1)

    def _stream_job(self, job_name: str, emit: Emit) -> None:
        from azure.ai.ml.exceptions import JobException

        with translated(f"stream the log of the job {job_name!r}"):
            try:
                self._hook.workspace_client.jobs.stream(job_name)
            except JobException as error:
                # It says that the job failed; the caller finds out for itself, and says it better.
                emit(masked(str(error)))

    def _follow(self, job_name: str, emit: Emit, over: threading.Event) -> None:
        while not over.wait(interval_seconds()):
            try:
                self.pump(job_name, emit)
            except AzureMLError as error:
                emit(f"The steps' logs cannot be read at the moment: {error}")

    def _pump_step(self, step: Step, emit: Emit) -> None:
        client, seen = self._hook.workspace_client, self._follower
        ended = phase("job", step.status, step.run_id) is not Phase.ACTIVE
        with translated(f"read the log of the step {step.name!r}"):
            logs = _logs(sdk.run_details(client, step.run_id))
            for file, url in logs.items():
                key = f"{step.run_id}/{file}"
                content, seen.offsets[key] = self._read(url, seen.offsets.get(key, 0))
                *lines, rest = (seen.ends.get(key, b"") + content).split(b"\n")
                if ended and rest:
                    lines, rest = [*lines, rest], b""
                seen.ends[key] = rest
                for line in lines:
                    emit(f"[{step.name}] {masked(line.decode(errors='replace'))}")
        if ended:
            seen.finished.add(step.run_id)

    def _read(self, url: str, offset: int) -> tuple[bytes, int]:
        """The bytes after ``offset`` of a log, and the offset after them."""
        import httpx

        answer = httpx.get(url, headers={"Range": f"bytes={offset}-"} if offset else {}, timeout=60)
        if answer.status_code in (404, 416):
            return b"", offset
        answer.raise_for_status()
        content = answer.content if answer.status_code == 206 or not offset else answer.content[offset:]
        return content, offset + len(content)


def _logs(details: Any) -> dict[str, str]:
    return {file: url for file, url in sorted((details.log_files or {}).items()) if STEP_LOG.fullmatch(file)}
