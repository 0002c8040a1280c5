"""The log files of a run: which there are, and their bytes from an offset on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from azure_ml.hook._http import RetryingClient

if TYPE_CHECKING:
    from azure.ai.ml._restclient.runhistory.models import RunDetails

# The log of a command's first process; ``jobs.stream`` chooses by this pattern, too.
STEP_LOG: Final = re.compile(r"user_logs/std_log[\D]*[0]*(?:_ps)?\.txt")
# The log of a pipeline, or of a job that is one command.
JOB_LOG: Final = re.compile(r"logs/azureml/executionlogs\.txt|" + STEP_LOG.pattern)


def urls_of(details: RunDetails, pattern: re.Pattern[str]) -> dict[str, str]:
    """The signed URLs of a run's log files that match, by path."""
    files = details.log_files or {}
    return {file: url for file, url in sorted(files.items()) if pattern.fullmatch(file)}


@dataclass(frozen=True)
class Part:
    """Bytes of a log file."""

    content: bytes
    total: int  # bytes of the whole file at that moment


class LogReader:
    """Reads log files over their signed URLs."""

    @cached_property
    def _http(self) -> RetryingClient:
        return RetryingClient()

    def read(self, url: str, offset: int, size: int) -> Part:
        """Up to ``size`` bytes after ``offset``; none if the file does not exist or ends before."""
        answer = self._http.get(url, headers={"Range": f"bytes={offset}-{offset + size - 1}"})
        total = int(answer.headers.get("Content-Range", "").rpartition("/")[2] or 0)
        if answer.status_code in (404, 416):
            return Part(b"", total)
        answer.raise_for_status()
        if answer.status_code == 206:
            return Part(answer.content[:size], total)
        # A store that ignores the range answers 200 with the whole file.
        return Part(answer.content[offset : offset + size], len(answer.content))

    def tail(self, url: str, size: int) -> bytes:
        """The last ``size`` bytes."""
        # Azure's storage knows no range that counts from the end.
        total = self.read(url, 0, 1).total
        return self.read(url, max(0, total - size), size).content
