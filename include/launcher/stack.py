"""Starts the stack: the local Azure ML, then Airflow's database, processes and connection."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from include.launcher import commands, environment, processes
from include.launcher.airflow_api import AirflowApi
from include.launcher.azureml_api import AzureMLApi
from include.launcher.errors import LauncherError, StartError
from include.launcher.paths import ROOT, Paths

SERVICE = "azureml-local"
START_SECONDS = 180.0
PROGRAM_POLL_SECONDS = 0.2
Say = Callable[[str], None]


@dataclass
class Stack:
    """A stack that is up; ``started`` names the processes that this call started, the others ran before."""

    paths: Paths
    airflow: AirflowApi
    azureml: AzureMLApi
    started: list[str] = field(default_factory=list)

    def stop_own(self) -> None:
        """End what this call started."""
        if self.started:
            processes.end(self.paths.state, names=frozenset(self.started))


def up(paths: Paths, say: Say, changes: Mapping[str, str] | None = None) -> Stack:
    """Start what does not run yet and wait until all of it is healthy.

    Args:
        paths: Folders of the stack.
        say: Takes a line for the user.
        changes: Settings of Airflow that differ from the stack's own, such as ``CORE__PARALLELISM``.

    Raises:
        StartError: If a process ends or does not answer; the message names its log.
    """
    started: list[str] = []
    before = environment.azure(paths)
    try:
        azureml = _azureml_local(paths, say, started)
        if environment.azure(paths) != before:
            # An Airflow that runs already was started with another port or certificate authority.
            processes.end(paths.state, names=frozenset(commands.AIRFLOW))
        airflow = _airflow(paths, say, started, changes)
        airflow.put_connection(azureml.connection())
    except BaseException:
        # Also on Ctrl-C: half a stack helps nobody.
        processes.end(paths.state, names=frozenset(started))
        raise
    return Stack(paths, airflow, azureml, started)


def _azureml_local(paths: Paths, say: Say, started: list[str]) -> AzureMLApi:
    record = _running(paths, SERVICE)
    if record is None:
        port = _free_port("AZUREML_LOCAL_PORT", 8443, say)
        env = environment.azureml_local(paths, port)
        record = _start(paths, SERVICE, commands.AZUREML_LOCAL, env, port, started)
    client = AzureMLApi(record.port, paths)
    _wait(paths, [SERVICE], client.is_healthy)
    say(f"Local Azure ML: https://localhost:{record.port}" + ("" if SERVICE in started else " (ran already)"))
    return client


def _airflow(paths: Paths, say: Say, started: list[str], changes: Mapping[str, str] | None) -> AirflowApi:
    server = _running(paths, "api-server")
    port = server.port if server else _free_port("AIRFLOW_PORT", 8080, say)
    env = environment.airflow(paths, port, changes)
    missing = [name for name in commands.AIRFLOW if _running(paths, name) is None]
    if missing:
        _migrate(paths, env, say)
        say(f"Airflow: starting {', '.join(missing)} (usually 10 to 20 s)")
    for name in missing:
        own_port = port if name == "api-server" else 0
        _start(paths, name, commands.AIRFLOW[name], env, own_port, started)
    client = AirflowApi(
        f"http://localhost:{port}", environment.USER, environment.load_secrets(paths)["password"]
    )
    _wait(paths, list(commands.AIRFLOW), client.is_healthy)
    say(f"Airflow: http://localhost:{port}" + ("" if missing else " (ran already)"))
    return client


def _migrate(paths: Paths, env: dict[str, str], say: Say) -> None:
    # Once for each version of Airflow: the command takes seconds even if there is nothing to do.
    version = importlib.metadata.version("apache-airflow-core")
    done = paths.airflow_home / f".migrated-{version}"
    if done.exists() and (paths.airflow_home / "airflow.db").exists():
        return
    say("Airflow: making the metadata database (about 5 s)")
    log = paths.logs / "db-migrate.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        command = commands.resolve(commands.MIGRATE)
        result = subprocess.run(command, env=env, cwd=ROOT, stdout=out, stderr=out, check=False)
    if result.returncode:
        raise StartError(f"'airflow db migrate' ended with exit code {result.returncode}: read {log}.")
    done.touch()


def _start(
    paths: Paths, name: str, command: tuple[str, ...], env: dict[str, str], port: int, started: list[str]
) -> processes.Record:
    started.append(name)
    log = paths.logs / f"{name}.log"
    return processes.start(name, commands.resolve(command), env, log, paths.records, ROOT, port)


def _running(paths: Paths, name: str) -> processes.Record | None:
    record = processes.read_records(paths.records).get(name)
    return record if record and processes.is_alive(record) else None


def _wait(paths: Paths, names: list[str], is_healthy: Callable[[], bool]) -> None:
    """Poll until healthy; raises ``StartError`` if one of the processes ends, or after ``START_SECONDS``."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for name in names:
            if _running(paths, name) is None:
                raise StartError(f"{name} ended while it started: {_last_line(paths, name)}")
        with contextlib.suppress(httpx.HTTPError, OSError, ssl.SSLError, LauncherError):
            if is_healthy():
                return
        time.sleep(PROGRAM_POLL_SECONDS)
    raise StartError(
        f"{', '.join(names)} did not become healthy in {START_SECONDS:.0f} s: read the logs in {paths.logs}."
    )


def _last_line(paths: Paths, name: str) -> str:
    log = paths.logs / f"{name}.log"
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return (
        f"its last words were {lines[-1]!r}; all of them are in {log}."
        if lines
        else f"it said nothing; see {log}."
    )


def _free_port(variable: str, default: int, say: Say) -> int:
    """The port that the variable names, or the next free one; raises ``StartError`` if it names none."""
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise StartError(f"{variable} is {text!r}: give a port number from 1 to 65535.")
    first = int(text)
    for port in range(first, min(first + 200, 65536)):
        if _is_free(port):
            if port != first:
                say(f"Port {first} is taken; taking {port} ({variable} chooses another)")
            return port
    raise StartError(f"No free port from {first} on: choose one with {variable}=<port>.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    # Another process may listen on all addresses, which lets a bind to this one succeed.
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
