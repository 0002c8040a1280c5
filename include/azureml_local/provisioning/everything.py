"""All that a first job or deployment needs, from a command line and from the running service."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Collection
from pathlib import Path

from azureml_local.engine.processes import Process, tail
from azureml_local.provisioning import compute, sample, standin
from azureml_local.provisioning.compute import Say
from azureml_local.provisioning.errors import ProvisioningError
from azureml_local.settings import Settings

log = logging.getLogger(__name__)


def make(settings: Settings, say: Say, *, with_standin: bool = True) -> None:
    """Make what is missing; raises ProvisioningError: if something cannot be made."""
    compute.make(settings, say)
    if with_standin:
        standin.make(settings, say)
        sample.make(settings)


def is_made(settings: Settings) -> bool:
    """Whether every job and deployment can start at once."""
    return compute.is_made(settings) and standin.is_made(settings)


def will_exist(settings: Settings, path: Path) -> bool:
    """Whether a path exists, or is the stand-in, which the first job or deployment that needs it makes."""
    return path.exists() or (path == settings.standin and settings.makes(path))


async def ready(settings: Settings, inputs: Collection[str], progress: Path) -> None:
    """Return once a job or deployment can start; a process of its own makes what is missing.

    Args:
        settings: of this service.
        inputs: paths of files and folders that it reads.
        progress: log to which that process writes.

    Raises:
        ProvisioningError: if something cannot be made.
    """
    needs_standin = str(settings.standin) in inputs
    if compute.is_made(settings) and (standin.is_made(settings) or not needs_standin):
        return
    log.info("What jobs and deployments run in is made; progress is in %s", progress)
    command = [sys.executable, "-m", "azureml_local.provisioning", *(["--standin"] if needs_standin else [])]
    environment = {**os.environ, **settings.as_environment()}
    process = await Process.start(command, folder=settings.home, environment=environment, log=progress)
    try:
        code = await process.wait()
    finally:
        await process.stop()
    if code:
        raise ProvisioningError(await asyncio.to_thread(tail, progress, 1))
