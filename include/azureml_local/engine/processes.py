"""Processes of jobs and deployments: own session, own log, a clean environment, and a sure end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from azureml_local.engine import guard
from azureml_local.settings import Settings

# Seconds between the polite and the forced end.
GRACE = 3.0


class Process:
    """One running command below its guard; see :mod:`azureml_local.engine.guard`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], log: Path
    ) -> Process:
        """Start ``command`` in ``folder``; both its output streams are appended to ``log``."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-S",
                guard.__file__,
                str(GRACE),
                *command,
                cwd=folder,
                env=dict(environment),
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """Process id of the guard."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._process.returncode is not None

    async def wait(self) -> int:
        """Its exit code, once it is over."""
        # Process.wait() of asyncio also waits for stdin's transport; the lifeline stays open on purpose.
        return await self._process.wait()

    async def stop(self) -> None:
        """End the whole tree and wait until it is gone."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
        await self._process.wait()


def base_environment(settings: Settings, home: Path) -> dict[str, str]:
    """Variables of every process: nothing of the service's own environment but the way to the interpreter.

    Args:
        settings: name the interpreter and the certificates.
        home: the process's home folder, made here.
    """
    home.mkdir(parents=True, exist_ok=True)
    bundle = str(settings.home / "ca-bundle.pem")
    return {
        "PATH": os.pathsep.join([str(settings.compute_python.parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
        # Threads that wait must sleep: spinning ones starve every other process of the cores.
        "OMP_WAIT_POLICY": "PASSIVE",
        "REQUESTS_CA_BUNDLE": bundle,
        "SSL_CERT_FILE": bundle,
        # Which GPUs the user lets this service have.
        **{name: os.environ[name] for name in ("CUDA_VISIBLE_DEVICES",) if name in os.environ},
    }


def tail(path: Path, lines: int) -> str:
    """The last lines of a log, or nothing if there is no such file."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - lines * 2000))
        return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])
