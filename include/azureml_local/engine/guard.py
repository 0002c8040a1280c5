"""Runs one command and ends all of its processes with it, or with its keeper.

Started by :mod:`azureml_local.engine.processes`: ``guard.py <seconds> <command...>``. Its standard input is
a lifeline: when it closes (the service ended, even by SIGKILL) or SIGTERM comes, the whole tree is ended,
first politely, then after the given seconds by force. Exits with the command's own code, or 128 + signal.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _descendants(root: int) -> list[int]:
    """Process ids of all that came from ``root``, read from /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    descendants, waiting = [], [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        descendants += below
        waiting += below
    return descendants


def _signal_all(number: signal.Signals) -> bool:
    """Signal every process below this one; whether there was any."""
    everyone = _descendants(os.getpid())
    for pid in everyone:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
    return bool(everyone)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _end_tree(grace: float) -> None:
    deadline = time.monotonic() + grace
    _signal_all(signal.SIGTERM)
    while time.monotonic() < deadline:
        _reap()
        if not _descendants(os.getpid()):
            return
        time.sleep(0.05)
    while _signal_all(signal.SIGKILL):
        _reap()
        time.sleep(0.02)


def main(argv: list[str]) -> int:
    """Run the command of ``argv`` until it ends or the lifeline does."""
    grace, command = float(argv[1]), argv[2:]
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wake, bell = os.pipe()
    os.set_blocking(bell, False)
    signal.set_wakeup_fd(bell)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL),
        )
    except OSError as error:
        print(f"{command[0]!r} could not be started: {error}", file=sys.stderr)
        return 127
    while child.poll() is None:
        ready = select.select([0, wake], [], [])[0]
        received = {signal.Signals(byte) for byte in os.read(wake, 64)} if wake in ready else set()
        if 0 in ready or received & {signal.SIGTERM, signal.SIGINT}:
            _end_tree(grace)
            return 128 + signal.SIGTERM
    _end_tree(0.0)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv))
