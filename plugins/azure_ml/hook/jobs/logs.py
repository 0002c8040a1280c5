"""The log of a job, and those of the steps below it, line by line and each line once."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Final

from azure_ml.bounds import LINE, TAIL_BYTES, cut
from azure_ml.hook import _sdk
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.jobs.calls import Jobs
from azure_ml.hook.jobs.history import JobHistory, Step
from azure_ml.hook.jobs.log_files import JOB_LOG, STEP_LOG, LogReader, urls_of
from azure_ml.hook.jobs.stream import follow
from azure_ml.masking import masked
from azure_ml.payload import Payload
from azure_ml.states import Phase, phase

# Read, passed on and saved at a time: a crash repeats at most so much.
CHUNK_BYTES: Final = 1 << 20
# A job may write faster than anybody can pass it on, and its budgets are checked between two looks.
LOOK_SECONDS: Final = 10.0
LOOK_BYTES: Final = 4 << 20  # of a file, at one look; what lies before the last of them is left out
SHOWN_BYTES: Final = 32 << 20  # of a file, in all


@dataclass
class LogOffsets:
    """How far the logs of one job have been passed on."""

    job_name: str
    offsets: dict[str, int] = field(default_factory=dict)  # bytes of each file, up to a whole line
    finished: list[str] = field(default_factory=list)  # runs whose logs have been passed on to the end
    left_out: dict[str, int] = field(default_factory=dict)  # bytes of each file that were not passed on

    def as_dict(self) -> Payload:
        """As plain data, for Airflow's task state store; ``LogOffsets(**data)`` reads it back."""
        return asdict(self)

    def shown(self, key: str) -> int:
        """Bytes of a file that were passed on."""
        return self.offsets.get(key, 0) - self.left_out.get(key, 0)

    @classmethod
    def load(cls, job_name: str, saved: Payload) -> LogOffsets:
        """From what was saved, if that is about the same job."""
        return cls(**saved) if saved.get("job_name") == job_name else cls(job_name)


Emit = Callable[[str], None]
Save = Callable[[LogOffsets], None]
Watch = Callable[[list[Step]], None]


@dataclass(frozen=True)
class _File:
    path: str
    url: str
    key: str  # in LogOffsets


class _Look:
    """One look at the logs of one run."""

    def __init__(self, step: Step, emit: Emit, known: LogOffsets, save: Save, seconds: float) -> None:
        self.step, self.emit, self.known, self.save = step, emit, known, save
        self.ended = phase("job", step.status, step.run_id) is not Phase.ACTIVE
        self.prefix = f"[{step.name}] " if step.name else ""
        self._seconds, self._end, self._shown = seconds, math.inf, 0

    @property
    def is_over(self) -> bool:
        """Whether its time is over, or it has shown as much as one look may: a flood goes on meanwhile."""
        return time.monotonic() >= self._end or self._shown >= LOOK_BYTES

    def show(self, file: _File, lines: list[bytes], *, whole: bool = False) -> None:
        """Pass lines on, until the look is over or all of them, and save how far that was."""
        # From the first line on: a service that answers slowly must not cost the log.
        self._end = min(self._end, time.monotonic() + self._seconds)
        for line in lines:
            text = masked(line[: 2 * LINE].decode(errors="replace").removesuffix("\n"))
            more = f"… ({len(line)} bytes in this line)" if len(line) > 2 * LINE else ""
            self.emit(self.prefix + cut(text, LINE) + more)
            self.known.offsets[file.key] = self.known.offsets.get(file.key, 0) + len(line)
            self._shown += len(line)
            if self.is_over and not whole:
                break
        self.save(self.known)


class JobLogs:
    """``hook.logs``."""

    def __init__(self, clients: Clients, jobs: Jobs, history: JobHistory) -> None:
        self._clients, self._jobs, self._history = clients, jobs, history
        self._reader = LogReader()

    def stream(
        self,
        job_name: str,
        emit: Emit,  # takes one line
        *,
        offsets: LogOffsets | None = None,  # kept up to date
        save: Save = lambda _: None,  # called when the offsets have changed
        watch: Watch = lambda _: None,  # called after each check; what it raises ends the streaming
    ) -> None:
        """Pass on the logs of the job and of its steps until ``jobs.stream`` of the SDK returns."""
        # ``jobs.stream`` returns for most ways in which a job can end: callers read the state afterwards.
        known = offsets or LogOffsets(job_name)

        def check() -> None:
            watch(self.pump(job_name, emit, offsets=known, save=save, whole=True))

        follow(self._clients, job_name, check, emit)

    def pump(
        self,
        job_name: str,
        emit: Emit,
        *,
        offsets: LogOffsets | None = None,
        save: Save = lambda _: None,
        whole: bool = False,  # the job's own log, too
    ) -> list[Step]:
        """Pass on what the steps have written since the last call, within :data:`LOOK_SECONDS`; returns the steps.

        A line says how much is left out of what was written too fast, and where it is.
        """
        known = offsets or LogOffsets(job_name)
        steps = self._history.steps(job_name)
        runs = [step for step in steps if step.run_id not in known.finished]
        if whole:
            # A run of its own without a name, so that its lines bear no prefix.
            runs.insert(0, Step(job_name, "", self._jobs.status(job_name), 0, ""))
        for step in runs:
            self._pump_run(_Look(step, emit, known, save, LOOK_SECONDS / len(runs)))
        return steps

    def _pump_run(self, look: _Look) -> None:
        step = look.step
        with translated(f"read the log of the step {step.name!r}"):
            details = _sdk.run_details(self._clients.workspace_client, step.run_id)
            for file, url in urls_of(details, STEP_LOG if step.depth else JOB_LOG).items():
                self._pump_file(look, _File(file, url, f"{step.run_id}/{file}"))
        if look.ended and step.depth:
            look.known.finished.append(step.run_id)

    def _pump_file(self, look: _Look, file: _File) -> None:
        known = look.known
        if not look.step.depth and file.key not in known.offsets and self._reader.read(file.url, 0, 1).total:
            look.emit(f"Streaming {file.path}")
        self._leave_out(look, file, min(LOOK_BYTES, SHOWN_BYTES - known.shown(file.key)))
        while not look.is_over and (lines := self._next_lines(look, file)):
            look.show(file, lines)
        # Nobody comes back for the rest of a log that has ended.
        if look.is_over and look.ended:
            self._leave_out(look, file, 0)
            look.show(file, self._next_lines(look, file), whole=True)

    def _leave_out(self, look: _Look, file: _File, allowed: int) -> None:
        """Skip what was written before the last ``allowed`` bytes; of a log that has ended, its last lines stay."""
        known, offset = look.known, look.known.offsets.get(file.key, 0)
        kept = max(allowed, TAIL_BYTES if look.ended else 0)
        skipped = self._reader.read(file.url, offset, 1).total - offset - kept
        if skipped <= 0:
            return
        # Up to the end of the line, unless it is a long one.
        skipped += self._reader.read(file.url, offset + skipped, LINE).content.find(b"\n") + 1
        known.offsets[file.key] = offset + skipped
        known.left_out[file.key] = known.left_out.get(file.key, 0) + skipped
        look.emit(
            f"{look.prefix}... {skipped} bytes are left out here, {known.left_out[file.key]} so far, as the job writes "
            f"too much to show: all of it is in {file.path} of the run {look.step.run_id} in Studio."
        )
        look.save(known)

    def _next_lines(self, look: _Look, file: _File) -> list[bytes]:
        """The next whole lines of a log; of one that has ended, or of a line without end, all there is."""
        content = self._reader.read(file.url, look.known.offsets.get(file.key, 0), CHUNK_BYTES).content
        end = content.rfind(b"\n") + 1
        if (len(content) < CHUNK_BYTES and look.ended) or (len(content) == CHUNK_BYTES and not end):
            end = len(content)
        return io.BytesIO(content[:end]).readlines()
