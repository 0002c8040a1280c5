"""The compute environment's python, for tests that run what is made for it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMPUTE = Path(os.environ.get("AZUREML_LOCAL_COMPUTE_PYTHON", ROOT / ".venv-compute/bin/python"))
COMPONENTS = ROOT / "include/azureml_local/registry/catalogue/components"

Ran = subprocess.CompletedProcess[str]
RunStep = Callable[..., Ran]


def run_compute(*arguments: str, folder: Path = ROOT, **environment: str) -> Ran:
    """Run the compute environment's python; its output as text."""
    return run_command([str(COMPUTE), *arguments], folder=folder, **environment)


def run_command(command: list[str], *, folder: Path, **environment: str) -> Ran:
    """Run a command whose ``python`` is the compute environment's; its output as text."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    path = os.pathsep.join([str(COMPUTE.parent), os.environ["PATH"]])
    return subprocess.run(
        command,
        cwd=folder,
        env={
            **clean,
            "PATH": path,
            "PYTHONPATH": str(ROOT / "include"),
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
