"""One process a home: a lock that the kernel lets go of with the process, and who holds it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

# How long a service may take to end its jobs and deployments, and to die when it is killed.
END_SECONDS, KILL_SECONDS = 20.0, 5.0
# How long a claim is tried: who only reads holds the lock for a moment, too.
CLAIM_SECONDS = 0.5


class Running(NamedTuple):
    """A service that runs: process id and base URL."""

    pid: int
    url: str


class Instance:
    """The service that may run with a home."""

    def __init__(self, home: Path) -> None:
        self._home, self._file = home, home / "service.lock"
        self._held: IO[str] | None = None

    def claim(self, url: str) -> None:
        """Hold the home until this process ends; raises RuntimeError: if another process holds it."""
        make_home(self._home)
        _close_to_others(self._home)
        self._held = os.fdopen(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        deadline = time.monotonic() + CLAIM_SECONDS
        while not _take(self._held, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise RuntimeError(f"Another local Azure ML runs at {self._home}.")
            time.sleep(0.01)
        self._held.truncate()
        json.dump(Running(os.getpid(), url), self._held)
        self._held.flush()

    def read(self) -> Running | None:
        """The process that holds the home, None if none does."""
        try:
            with self._file.open() as file:
                return None if _take(file, fcntl.LOCK_SH) else Running(*json.load(file))
        except (FileNotFoundError, ValueError):  # no process yet, or one that is just starting
            return None

    def stop(self) -> None:
        """End the process that holds the home, politely, then by force; returns when it is gone."""
        for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
            record = self.read()
            if record is None:
                return
            with suppress(ProcessLookupError):
                os.kill(record.pid, number)
            deadline = time.monotonic() + seconds
            while self.read() is not None and time.monotonic() < deadline:
                time.sleep(0.05)


def make_home(home: Path) -> None:
    """Make the folder of the state, readable for its owner alone."""
    if not home.exists():
        home.mkdir(parents=True, mode=0o700)
        # It lies in the user's folder, often a repository, and holds keys.
        (home / ".gitignore").write_text("*\n")


def _close_to_others(home: Path) -> None:
    """Take from everybody else what an older version, or a shell, left readable."""
    for path in (home, *home.iterdir()):
        if not path.is_symlink() and path.stat().st_mode & 0o077:
            path.chmod(path.stat().st_mode & 0o700)


def _take(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
