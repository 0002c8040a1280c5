"""The compute environment: a virtual environment with torch, transformers and MLflow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import azureml_local
from azureml_local.provisioning import once
from azureml_local.provisioning.errors import ProvisioningError
from azureml_local.settings import Settings

Say = Callable[[str], None]
# File that says that an environment was made to its end.
MARK = ".complete"
_WORKER = Path(azureml_local.__file__).parent / "worker"
_PIP = ("-m", "pip", "--disable-pip-version-check", "install", "-qq")


def is_made(settings: Settings) -> bool:
    """Whether there is one; one that the environment names is taken as it is."""
    python = settings.compute_python
    return not settings.makes(python) or (python.parents[1] / MARK).exists()


def make(settings: Settings, say: Say) -> None:
    """Make it if it is missing.

    Raises:
        ProvisioningError: if the virtual environment cannot be made, or pip fails.
    """
    folder = settings.compute_python.parents[1]
    once.make(folder, lambda: is_made(settings), lambda: _steps(folder, say))


def _steps(folder: Path, say: Say) -> None:
    requirements = _WORKER / "requirements.txt"
    python = str(folder / "bin" / "python")
    torch = next(word for word in requirements.read_text().split() if word.startswith("torch=="))
    say(f"Making the compute environment in {folder} (usually 3 to 6 minutes; torch is large)")
    _run([sys.executable, "-m", "venv", str(folder)])
    say(f"The compute environment, 1 of 2: {torch}")
    _run([python, *_PIP, torch])  # first and alone, so that the build that pip finds for this machine stays
    say("The compute environment, 2 of 2: transformers, peft, MLflow")
    _run([python, *_PIP, "-c", str(_WORKER / "constraints.txt"), "-r", str(requirements)])
    (folder / MARK).touch()
    say("Made the compute environment")


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ProvisioningError(
            f"The compute environment could not be made ({last}): "
            "name the python of one in AZUREML_LOCAL_COMPUTE_PYTHON, or try again with azureml-local up --prepare."
        )
