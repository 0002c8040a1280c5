"""A launcher for tests: a state folder and ports of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from include.launcher import processes
from include.launcher.paths import Paths
from tests.support.azureml_service import ROOT, free_port


class Launcher:
    """``python -m include.launcher`` with a state folder and ports of its own."""

    def __init__(self, local: Path) -> None:
        self.paths = Paths(local)
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")} | {
            "FINETUNE_LOCAL": str(local),
            "AIRFLOW_PORT": str(free_port()),
            "AZUREML_LOCAL_PORT": str(free_port()),
            "AZUREML_LOCAL_TIME": "immediate",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        command = [sys.executable, "-m", "include.launcher", *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=self._env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end: exit code and what it printed."""
        process = self.start(*arguments)
        out, _ = process.communicate()
        return process.returncode, out

    def running(self) -> set[str]:
        """Names of the services that run."""
        records = processes.read_records(self.paths.records)
        return {name for name, record in records.items() if processes.is_alive(record)}
