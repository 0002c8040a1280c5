"""The log of a job, and those of the steps below it, line by line and each line once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Final

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


@dataclass
class LogOffsets:
    """How far the logs of one job have been passed on."""

    job_name: str
    offsets: dict[str, int] = field(default_factory=dict)  # bytes of each file, up to a whole line
    finished: list[str] = field(default_factory=list)  # runs whose logs have been passed on to the end

    def as_dict(self) -> Payload:
        """As plain data, for Airflow's task state store; ``LogOffsets(**data)`` reads it back."""
        return asdict(self)

    @classmethod
    def load(cls, job_name: str, saved: Payload) -> LogOffsets:
        """From what was saved, if that is about the same job."""
        return cls(**saved) if saved.get("job_name") == job_name else cls(job_name)


Emit = Callable[[str], None]
Save = Callable[[LogOffsets], None]
Watch = Callable[[list[Step]], None]


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
        """Pass on what the steps have written since the last call; returns the steps."""
        known = offsets or LogOffsets(job_name)
        steps = self._history.steps(job_name)
        if whole:
            # A run of its own without a name, so that its lines bear no prefix.
            self._pump_run(Step(job_name, "", self._jobs.status(job_name), 0, ""), emit, known, save)
        for step in steps:
            if step.run_id not in known.finished:
                self._pump_run(step, emit, known, save)
        return steps

    def _pump_run(self, step: Step, emit: Emit, known: LogOffsets, save: Save) -> None:
        ended = phase("job", step.status, step.run_id) is not Phase.ACTIVE
        prefix = f"[{step.name}] " if step.name else ""
        with translated(f"read the log of the step {step.name!r}"):
            details = _sdk.run_details(self._clients.workspace_client, step.run_id)
            for file, url in urls_of(details, STEP_LOG if step.depth else JOB_LOG).items():
                key = f"{step.run_id}/{file}"
                title = "" if step.depth or key in known.offsets else f"Streaming {file}"
                while lines := self._next_lines(url, key, known, ended=ended):
                    if title:
                        emit(title)
                        title = ""
                    for line in lines:
                        emit(prefix + masked(line.decode(errors="replace")))
                    save(known)
        if ended and step.depth:
            known.finished.append(step.run_id)

    def _next_lines(self, url: str, key: str, known: LogOffsets, *, ended: bool) -> list[bytes]:
        """The next whole lines of a log; of one that has ended, or of a line without end, all there is."""
        content = self._reader.read(url, known.offsets.get(key, 0), CHUNK_BYTES)
        end = content.rfind(b"\n") + 1
        if (len(content) < CHUNK_BYTES and ended) or (len(content) == CHUNK_BYTES and not end):
            end = len(content)
        if not end:
            return []
        known.offsets[key] = known.offsets.get(key, 0) + end
        return content[:end].removesuffix(b"\n").split(b"\n")
