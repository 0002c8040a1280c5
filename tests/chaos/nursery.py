"""A process that has the heavy libraries, and nothing of the product, and from which each run of pytest is forked.

Reads one JSON object a line, ``{"arguments": [...], "seconds": limit}``, and answers
``{"status": int, "output": str}``.
Imports are most of the time of a short test: so a planted bug takes seconds.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

HEAVY: Final = (
    "airflow.sdk.definitions.dag",
    "airflow.sdk.execution_time.task_runner",
    "azure.ai.ml.dsl",
    "azure.ai.ml.entities",
    "azure.identity",
    "fastapi",
    "httpx",
    "hypothesis.strategies",
    "pytest",
    "rich.table",
    "yaml",
)
TOO_LONG: Final = 124


def main() -> None:
    """Serve until the input ends."""
    for name in HEAVY:
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        with tempfile.NamedTemporaryFile("r") as output:
            status = _forked(request["arguments"], output.name, request["seconds"])
            print(
                json.dumps({"status": status, "output": Path(output.name).read_text(errors="replace")}),
                flush=True,
            )


def _forked(arguments: list[str], output: str, seconds: float) -> int:
    child = os.fork()
    if child == 0:
        _child(arguments, output)
    deadline = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return TOO_LONG
        time.sleep(0.05)


def _child(arguments: list[str], output: str) -> None:
    import pytest

    os.setpgid(0, 0)
    status = 3
    try:
        file = os.open(output, os.O_WRONLY)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        status = int(pytest.main(arguments))
        atexit._run_exitfuncs()
        sys.stdout.flush()
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
