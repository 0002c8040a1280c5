"""A really started local Azure ML, with what this project has made for it, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from azureml_local.cli.client_files import read as read_environment
from azureml_local.testing import service
from azureml_local.testing.service import AzureMLLocal, free_port
from azureml_local.testing.service import stop as stop_azureml_local
from include.launcher.environment import MADE

__all__ = [
    "ROOT",
    "AzureMLLocal",
    "free_port",
    "read_environment",
    "running",
    "start_azureml_local",
    "stop_azureml_local",
]

ROOT = Path(__file__).resolve().parents[2]


def _environment(changes: dict[str, str]) -> dict[str, str]:
    given = {name: os.environ.get(name, path) for name, path in MADE.items()}
    return {**given, "PYTHONPATH": str(ROOT / "include"), **changes}


def start_azureml_local(home: Path, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """Start the service as a process group of its own and wait until it is ready.

    Raises:
        RuntimeError: with its log, if it does not come up within a minute.
    """
    return service.start(home, port, **_environment(environment))


@contextlib.contextmanager
def running(home: Path, port: int = 0, **environment: str) -> Iterator[AzureMLLocal]:
    """A started service of one's own; ``os.environ`` points every client at it for the time of the block."""
    with service.running(home, port, **_environment(environment)) as started:
        # One certificate to read in place of a bundle of hundreds: the SDK reads it for every new connection, which
        # is a third of the CPU time of these tests. The walkthrough's test keeps to azure.env as it is.
        os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(home / "ca.pem")
        yield started
