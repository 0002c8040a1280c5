"""``jobs.stream`` of the SDK as what a worker waits with, while the lines of the logs come by their offsets."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
import time
from collections.abc import Callable
from typing import Final, TextIO

from azure_ml.backoff import FailureBudget
from azure_ml.errors import AuthFailed, AzureMLError, JobNotCompleted
from azure_ml.hook._polling import interval_seconds
from azure_ml.hook._translate import text, translated
from azure_ml.hook.clients import Clients
from azure_ml.states import is_active

# Of a job's log, after which the SDK's stream is replaced by looks at the job's state.
STREAM_CHARACTERS: Final = 32 << 20


def follow(clients: Clients, job_name: str, check: Callable[[], None], report: Callable[[str], None]) -> None:
    """Check again and again until ``jobs.stream`` returns, and once more after that.

    ``check`` passes on what is new; ``report`` takes a sentence about a failure that was tolerated.
    """
    checks, streams = _Tolerance(clients, report), _Tolerance(clients, report)
    stdout = _FilteredOutput(sys.stdout)
    with contextlib.redirect_stdout(stdout):
        stream, complete = _Stream(clients, job_name, stdout), False
        while not complete:
            stream.join(interval_seconds())
            # Read before the check, so that the last check comes after the job's last line.
            ended = not stream.is_alive()
            if stdout.has_dropped:
                streams.reset()
            complete = checks.covers(check) and ended
            if ended and stream.error is not None:
                streams.tolerate(stream.error)
                stream, complete = _Stream(clients, job_name, stdout), False


class _Tolerance(FailureBudget):
    """Tolerates failures until the budget is spent."""

    def __init__(self, clients: Clients, report: Callable[[str], None]) -> None:
        super().__init__()
        self._clients, self._report = clients, report

    def covers(self, check: Callable[[], None]) -> bool:
        """Whether the check succeeded; raises the failure that is one too many."""
        try:
            check()
        except JobNotCompleted:
            raise
        except AzureMLError as error:
            self.tolerate(error)
            return False
        self.reset()
        return True

    def tolerate(self, error: AzureMLError) -> None:
        spent = self.is_spent_by(error)
        if isinstance(error, AuthFailed):
            self._clients.reauthenticate()
        if spent:
            raise error
        time.sleep(interval_seconds())
        self._report(f"Check {self.failures} of the job failed: {error}")


class _TooMuch(BaseException):
    """Ends the SDK's streaming, which tolerates an ``Exception``."""


class _FilteredOutput(io.TextIOBase):
    """Standard output without what the streaming thread prints: each stream prints the log from its start."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout or sys.__stdout__ or io.StringIO()
        self.dropped: threading.Thread | None = None
        self.has_dropped = False
        self.dropped_characters = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        # Other threads print as before: a log handler that prints would call itself for ever.
        if threading.current_thread() is not self.dropped:
            return self._stdout.write(text)
        self.has_dropped = True
        self.dropped_characters += len(text)
        if self.dropped_characters > STREAM_CHARACTERS:
            raise _TooMuch
        return len(text)


class _Stream(threading.Thread):
    """Runs ``jobs.stream``, which has no end of its own, beside the checks."""

    def __init__(self, clients: Clients, job_name: str, stdout: _FilteredOutput) -> None:
        super().__init__(daemon=True, name=f"stream {job_name}")
        self._clients, self._job_name = clients, job_name
        self.error: AzureMLError | None = None
        stdout.dropped, stdout.has_dropped, stdout.dropped_characters = self, False, 0
        self.start()

    # The SDK reads the whole log at each look, so that a long one would fill the worker's memory.
    def _wait_for_end(self) -> None:
        calls = self._clients.workspace_client.jobs
        while is_active("job", text(calls.get(self._job_name).status), self._job_name):
            time.sleep(interval_seconds())

    def run(self) -> None:
        from azure.ai.ml.exceptions import JobException

        try:
            # JobException means that the job failed, which the caller reads from its state.
            with (
                translated(f"stream the log of the job {self._job_name!r}"),
                contextlib.suppress(JobException),
            ):
                try:
                    self._clients.workspace_client.jobs.stream(self._job_name)
                except _TooMuch:
                    self._wait_for_end()
        except AzureMLError as error:
            self.error = error
