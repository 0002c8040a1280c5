"""The kernel's view of a process, from ``/proc``; standard library only, as :mod:`include.launcher.processes`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stat:
    """Fields of ``/proc/<pid>/stat``, see proc(5); ``started`` is in clock ticks since boot."""

    pid: int
    state: str
    parent: int
    sid: int
    started: int


def stat(pid: int) -> Stat | None:
    """The process; None if there is none, or if only its exit code is left."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name of the program, in brackets, may itself hold blanks and brackets.
    fields = text.rpartition(")")[2].split()
    if fields[0] in ("Z", "X"):
        return None
    return Stat(pid, fields[0], int(fields[1]), int(fields[3]), int(fields[19]))


def table() -> dict[int, Stat]:
    """All processes by id."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return {process.pid: process for process in map(stat, pids) if process is not None}


def ancestors(pid: int, processes: Mapping[int, Stat]) -> Iterator[int]:
    """The process itself, its parent, and so on."""
    while pid > 0:
        yield pid
        pid = processes[pid].parent if pid in processes else 0


def environment(pid: int) -> list[bytes]:
    """``NAME=value`` of each variable at the start of the process; empty for another user's process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return []


def command_line(pid: int) -> list[str]:
    """Program and arguments; empty if the process is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return []
