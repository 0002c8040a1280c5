"""Processes that outlive the launcher: start them, find them again, and end them with all that they started.

Only the standard library is used here, so that ``make down`` works while the environments are half made.

A process belongs to the stack of a folder if one of these holds:

- it carries :data:`MARKER` with that folder in its environment, which children inherit;
- its session is that of a recorded process;
- it is a descendant of such a process;
- it is a Python process at work in the local Azure ML's home: jobs get an environment of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

MARKER = "FINETUNE_STACK"
"""Environment variable that names the state folder of the stack a process belongs to."""

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Record:
    """What is written down about a started process.

    Attributes:
        name: the service, for example ``scheduler``.
        pid: process id.
        sid: session id if the session is the process's own, else 0; children stay in it unless they leave it.
        started: start time in clock ticks since boot, from ``/proc``; tells a reused pid from the process.
        port: TCP port that it serves, 0 if none.
        log: its log file.
    """

    name: str
    pid: int
    sid: int
    started: int
    port: int
    log: str


@dataclass(frozen=True)
class Stat:
    """The fields of ``/proc/<pid>/stat`` that are used here; see proc(5)."""

    pid: int
    state: str
    parent: int
    sid: int
    started: int


def stat(pid: int) -> Stat | None:
    """The process as the kernel sees it; None if there is none, or only its exit code is left."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    if fields[0] in ("Z", "X"):
        return None
    return Stat(pid, fields[0], int(fields[1]), int(fields[3]), int(fields[19]))


def start(
    name: str,
    command: Sequence[str],
    env: Mapping[str, str],
    log: Path,
    records: Path,
    cwd: Path,
    port: int = 0,
) -> Record:
    """Start a process in a session of its own and write its record.

    Raises:
        FileNotFoundError: if the program does not exist.
    """
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
    process.returncode = (
        0  # Nobody waits for it here: it is to outlive the launcher, and is no zombie that Popen need mourn.
    )
    seen = stat(process.pid)
    record = Record(name, process.pid, process.pid, seen.started if seen else 0, port, str(log))
    write_record(records, record)
    return record


def record_caller(name: str, records: Path) -> Record:
    """Write a record of the calling process, so that ``make down`` in another terminal ends it, too."""
    seen = stat(os.getpid())
    record = Record(name, os.getpid(), 0, seen.started if seen else 0, 0, "")
    write_record(records, record)
    return record


def write_record(records: Path, record: Record) -> None:
    """Write a record so that a reader sees all of it or nothing."""
    records.mkdir(parents=True, exist_ok=True)
    draft = records / f".{record.name}.{record.pid}"
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(records / f"{record.name}.json")


def read_records(records: Path) -> dict[str, Record]:
    """All records by name; a file that is no record is passed over."""
    found: dict[str, Record] = {}
    for path in sorted(records.glob("*.json")):
        with contextlib.suppress(ValueError, TypeError):
            record = Record(**json.loads(path.read_text()))
            found[record.name] = record
    return found


def is_alive(record: Record) -> bool:
    """Whether the very process of the record still runs; its pid may have gone to another one since."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(record.pid, os.WNOHANG)
    seen = stat(record.pid)
    return seen is not None and seen.started == record.started


def everything_of(local: Path, names: frozenset[str] | None = None) -> set[int]:
    """Ids of all processes of the stack in this folder, the caller and its ancestors left out.

    Args:
        local: the stack's state folder.
        names: only what descends from, or shares the session of, these recorded services; None for all.
    """
    table = {seen.pid: seen for seen in _processes()}
    recorded = [r for r in read_records(local / "run").values() if names is None or r.name in names]
    alive = [r for r in recorded if is_alive(r)]
    sessions = {r.sid for r in recorded if _is_same_session(r, table)}
    found = {r.pid for r in alive} | {pid for pid, seen in table.items() if seen.sid in sessions}
    if names is None:
        found |= {pid for pid in table if _is_marked(pid, local) or _is_compute(pid, local)}
    # The caller may be recorded itself: what else it has started is not the stack's.
    callers = set(_ancestors(os.getpid(), table))
    found -= callers
    while children := {pid for pid, seen in table.items() if seen.parent in found} - found:
        found |= children
    return found - callers


def end(local: Path, *, names: frozenset[str] | None = None, grace_seconds: float = 8.0) -> list[str]:
    """End the stack of a folder: ask the recorded services, wait, then kill all that is left.

    Args:
        local: the stack's state folder.
        names: only these services; None for all, with whatever else carries the stack's mark.
        grace_seconds: how long the services may take to end by themselves.

    Returns:
        Names of the services that ran.
    """
    records = local / "run"
    known = {name: r for name, r in read_records(records).items() if names is None or name in names}
    running = [name for name, r in known.items() if is_alive(r)]
    doomed = everything_of(local, names)
    for record in known.values():
        if is_alive(record) and record.pid in doomed:
            _signal(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    while any(is_alive(r) for r in known.values() if r.pid in doomed) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    _kill_all(local, names, doomed)
    for name in known:
        (records / f"{name}.json").unlink(missing_ok=True)
    return running


def _kill_all(local: Path, names: frozenset[str] | None, doomed: set[int]) -> None:
    """SIGKILL until nothing is left; a process may have forked between the look and the kill."""
    born = {pid: seen.started for pid in doomed if (seen := stat(pid))}
    for _ in range(100):
        left = everything_of(local, names)
        left |= {pid for pid, started in born.items() if (seen := stat(pid)) and seen.started == started}
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


def _processes() -> Iterator[Stat]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (seen := stat(int(entry.name))) is not None:
            yield seen


def _is_same_session(record: Record, table: Mapping[int, Stat]) -> bool:
    """Whether the session can only be the record's: its leader lives, or its id is no other process's pid.

    A session id stays taken while the session has members: a leader of another start time is a new session.
    """
    leader = table.get(record.sid)
    return record.sid > 0 and (leader is None or leader.started == record.started)


def _is_marked(pid: int, local: Path) -> bool:
    mark = f"{MARKER}={local}".encode()
    with contextlib.suppress(OSError):
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def _is_compute(pid: int, local: Path) -> bool:
    """Whether this is a job or deployment: a Python process that works below the local Azure ML's home."""
    home = f"{local}/azureml/"
    with contextlib.suppress(OSError):
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if "python" not in Path(arguments[0]).name:
            return False
        folder = os.readlink(f"/proc/{pid}/cwd") + "/"
        return folder.startswith(home) or any(argument.startswith(home) for argument in arguments[1:])
    return False


def _ancestors(pid: int, table: Mapping[int, Stat]) -> Iterator[int]:
    while pid > 0:
        yield pid
        pid = table[pid].parent if pid in table else 0
