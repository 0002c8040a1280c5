"""The stand-in for the base model: trained in the compute environment."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import azureml_local
from azureml_local.provisioning import once
from azureml_local.provisioning.errors import ProvisioningError
from azureml_local.settings import Settings

Say = Callable[[str], None]


def is_made(settings: Settings) -> bool:
    """Whether there is one; one that the environment names is taken as it is."""
    return not settings.makes(settings.standin) or (settings.standin / "MLmodel").exists()


def make(settings: Settings, say: Say) -> None:
    """Make it if it is missing; raises ProvisioningError: if its training fails."""
    once.make(settings.standin, lambda: is_made(settings), lambda: _train(settings, say))


def _train(settings: Settings, say: Say) -> None:
    say("Pre-training the stand-in for the base model (about a minute)")
    command = [str(settings.compute_python), "-m", "azureml_local.worker.standin"]
    with tempfile.TemporaryDirectory() as folder:
        # Not the folder that this package lies in: an installed one has all the service's libraries beside it.
        Path(folder, "azureml_local").symlink_to(Path(azureml_local.__file__).parent)
        done = subprocess.run(
            [*command, "--out", str(settings.standin)],
            env={**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode:
        last = (done.stdout.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ProvisioningError(f"The stand-in model could not be made ({last}).")
    say("Made the stand-in")
