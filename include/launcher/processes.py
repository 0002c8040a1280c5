"""Processes that outlive the launcher: start them, find them again, and end them with all that they started.

A process belongs to the stack of a folder if one of these holds:

- it carries :data:`MARKER` with that folder in its environment, which children inherit;
- its session is that of a recorded process;
- it is a descendant of such a process;
- it is a Python process at work in the local Azure ML's home: jobs get an environment of their own.
"""

# Standard library only: "make down" must work while the virtual environment is half made.
from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from include.launcher import proc
from include.launcher.proc import Stat
from include.launcher.proc import stat as stat

# The variable holds the state folder of the stack that a process belongs to.
MARKER = "FINETUNE_STACK"
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Record:
    """A started process, as its file holds it."""

    # Name of the service, for example ``scheduler``.
    name: str
    # Process id.
    pid: int
    # Session id if the session is the process's own, else 0.
    sid: int
    # Start time in clock ticks since boot: another process with the same pid has another one.
    started: int
    # TCP port that it serves, or 0.
    port: int
    # Path of its log file.
    log: str


def start(
    name: str,
    command: Sequence[str],
    env: Mapping[str, str],
    log: Path,
    records: Path,
    cwd: Path,
    port: int = 0,
) -> Record:
    """Start a process in a session of its own and write its record."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(command),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # The process outlives the launcher: without an exit code, Popen would warn that nobody waited for it.
    process.returncode = 0
    return _record(records, name, process.pid, process.pid, port, str(log))


def record_caller(name: str, records: Path) -> Record:
    """Write a record of the calling process, so that ``make down`` in another terminal ends it, too."""
    return _record(records, name, os.getpid(), 0, 0, "")


def _record(records: Path, name: str, pid: int, sid: int, port: int, log: str) -> Record:
    process = stat(pid)
    record = Record(name, pid, sid, process.started if process else 0, port, log)
    write_record(records, record)
    return record


def write_record(records: Path, record: Record) -> None:
    """Write a record in one step: a reader sees all of it or nothing."""
    records.mkdir(parents=True, exist_ok=True)
    draft = records / f".{record.name}.{record.pid}"
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(records / f"{record.name}.json")


def read_records(records: Path) -> dict[str, Record]:
    """All records by name, without files that are no records."""
    by_name: dict[str, Record] = {}
    for path in sorted(records.glob("*.json")):
        with contextlib.suppress(ValueError, TypeError):
            record = Record(**json.loads(path.read_text()))
            by_name[record.name] = record
    return by_name


def is_alive(record: Record) -> bool:
    """Whether the process of the record still runs, and not another one under its pid."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(record.pid, os.WNOHANG)
    process = stat(record.pid)
    return process is not None and process.started == record.started


def everything_of(state: Path, names: frozenset[str] | None = None) -> set[int]:
    """Ids of all processes of the stack, without the caller and its ancestors.

    Args:
        state: State folder of the stack.
        names: Recorded services whose sessions and descendants are meant; None for the whole stack.
    """
    table = proc.table()
    recorded = [r for r in read_records(state / "run").values() if names is None or r.name in names]
    sessions = {r.sid for r in recorded if _is_own_session(r, table)}
    pids = {r.pid for r in recorded if is_alive(r)}
    pids |= {pid for pid, process in table.items() if process.sid in sessions}
    if names is None:
        pids |= {pid for pid in table if _is_marked(pid, state) or _is_compute(pid, state)}
    # The caller may be recorded itself: whatever else it has started is not the stack's.
    callers = set(proc.ancestors(os.getpid(), table))
    pids -= callers
    while children := {pid for pid, process in table.items() if process.parent in pids} - pids:
        pids |= children
    return pids - callers


def end(state: Path, *, names: frozenset[str] | None = None, grace_seconds: float = 8.0) -> list[str]:
    """End the processes that :func:`everything_of` names: SIGTERM to the services, then SIGKILL to all that is left.

    Returns:
        Names of the services that ran.
    """
    records = state / "run"
    known = {name: r for name, r in read_records(records).items() if names is None or name in names}
    running = [name for name, r in known.items() if is_alive(r)]
    doomed = everything_of(state, names)
    for record in known.values():
        if is_alive(record) and record.pid in doomed:
            _signal(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while any(is_alive(r) for r in known.values() if r.pid in doomed) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    _kill_all(state, names, doomed)
    for name in known:
        (records / f"{name}.json").unlink(missing_ok=True)
    return running


def _kill_all(state: Path, names: frozenset[str] | None, doomed: set[int]) -> None:
    started = {pid: process.started for pid in doomed if (process := stat(pid))}
    # A process may have forked after it was listed and before it was killed: list again until nothing is left.
    for _ in range(100):
        left = everything_of(state, names)
        left |= {pid for pid, ticks in started.items() if (process := stat(pid)) and process.started == ticks}
        if not left:
            return
        for pid in left:
            _signal(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _is_own_session(record: Record, table: Mapping[int, Stat]) -> bool:
    # The kernel keeps a session's id from new processes while the session has members. So a leader with another
    # start time means another session; no leader at all means this one, or none.
    leader = table.get(record.sid)
    return record.sid > 0 and (leader is None or leader.started == record.started)


def _is_marked(pid: int, state: Path) -> bool:
    return f"{MARKER}={state}".encode() in proc.environment(pid)


def _is_compute(pid: int, state: Path) -> bool:
    """Whether this is a job or a deployment: a Python process at work below the local Azure ML's home."""
    home = f"{state}/azureml/"
    program, *arguments = proc.command_line(pid) or [""]
    if "python" not in Path(program).name:
        return False
    with contextlib.suppress(OSError):
        folder = os.readlink(f"/proc/{pid}/cwd") + "/"
        return folder.startswith(home) or any(argument.startswith(home) for argument in arguments)
    return False
