"""How far a job's logs have been passed on, and the catching of what the SDK prints."""

from __future__ import annotations

import contextlib
import io
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from azure_ml.errors import AzureMLError
from azure_ml.hook._translate import masked, translated

if TYPE_CHECKING:
    from azure_ml.hook.client import AzureMLHook


@dataclass
class Shown:
    """How far the logs of one job have been passed on.

    Attributes:
        job_name: of the job.
        offsets: bytes of each log file, up to the end of its last whole line.
        finished: runs whose logs are through.
    """

    job_name: str
    offsets: dict[str, int] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for Airflow's task state store."""
        return asdict(self)

    @classmethod
    def of(cls, job_name: str, noted: Mapping[str, Any] | None) -> Shown:
        """From what was noted, if that is about the same job."""
        return cls(**noted) if noted and noted.get("job_name") == job_name else cls(job_name)


class PrintedLines(io.TextIOBase):
    """A standard output that keeps whole lines of the one thread that it listens to.

    What other threads print goes where it went before: a log handler that prints would come round for ever.
    """

    def __init__(self, original: TextIO) -> None:
        self._original, self._rest = original, ""
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.speaker: threading.Thread | None = None

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Keep the lines that ``text`` completes."""
        if threading.current_thread() is not self.speaker:
            return (self._original or sys.__stdout__ or io.StringIO()).write(text)
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._lines.put(line)
        return len(text)

    def begin_again(self) -> None:
        """Forget a line that was never ended."""
        self._rest = ""

    def taken(self) -> list[str]:
        """The lines since the last call."""
        lines = []
        while not self._lines.empty():
            lines.append(self._lines.get())
        return lines


class Speaker(threading.Thread):
    """Runs ``jobs.stream`` of the SDK, whose printing is caught."""

    def __init__(self, hook: AzureMLHook, job_name: str, out: PrintedLines) -> None:
        super().__init__(daemon=True, name=f"stream {job_name}")
        self._hook, self._job_name, self._out = hook, job_name, out
        self._in_log = False
        self.error: AzureMLError | None = None
        out.begin_again()
        out.speaker = self
        self.start()

    def run(self) -> None:
        """Stream until the job has ended, or streaming fails."""
        from azure.ai.ml.exceptions import JobException

        try:
            # It raises where the job failed; the caller finds out for itself, and says it better.
            with (
                translated(f"stream the log of the job {self._job_name!r}"),
                contextlib.suppress(JobException),
            ):
                self._hook.workspace_client.jobs.stream(self._job_name)
        except AzureMLError as error:
            self.error = error

    def pass_on(self, emit: Callable[[str], None]) -> bool:
        """Emit the frame of what was printed, and not the log within; whether there was anything.

        ``jobs.stream`` begins again at each call, and of a job that has ended it shows no log at all; so the
        lines of the log itself come by their offsets in the file.
        """
        lines = self._out.taken()
        for line in lines:
            if line.startswith("Execution Summary"):
                self._in_log = False
            if line.strip() and not self._in_log:
                emit(masked(line))
            if line.startswith("Streaming "):
                self._in_log = True
        return bool(lines)
