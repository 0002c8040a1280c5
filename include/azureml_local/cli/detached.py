"""Starts the service as a process of its own and waits until it answers."""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

from azureml_local.cli.instance import make_home
from azureml_local.settings import Settings

START_SECONDS = 60.0


def start(settings: Settings) -> int:
    """Start it in the background; returns 0 once it is ready.

    Raises:
        RuntimeError: with the end of its log, if it does not come up.
    """
    make_home(settings.home)
    log = settings.home / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "azureml_local", "up"],
            env={**os.environ, **settings.as_environment()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if is_ready(settings.home, settings.port):
            option = f" --home {settings.home}" if settings.home != Settings.from_environment().home else ""
            print(f"Local Azure ML at {settings.base_url}; its log is {log}")
            print(f'Point a shell at it: eval "$(azureml-local env{option})"')
            print(f"End it:              azureml-local down{option}")
            return 0
        time.sleep(0.05)
    process.kill()
    end = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise RuntimeError(f"The local Azure ML did not start; its log {log} ends with:\n{end}")


def is_ready(home: Path, port: int) -> bool:
    """Whether the service answers and serves."""
    try:
        context = ssl.create_default_context(cafile=str(home / "ca.pem"))
        connection = http.client.HTTPSConnection("localhost", port, timeout=5, context=context)
        with contextlib.closing(connection):
            connection.request("GET", "/_local/ready")
            return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
