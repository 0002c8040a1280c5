"""Makes a folder once, whoever asks at the same time, and leaves nothing behind that is half made."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path


def make(folder: Path, is_made: Callable[[], bool], steps: Callable[[], None]) -> None:
    """Run ``steps`` unless the folder is made; a second process waits for the first."""
    if is_made():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_made():
            return
        shutil.rmtree(folder, ignore_errors=True)
        try:
            steps()
        finally:
            if not is_made():
                shutil.rmtree(folder, ignore_errors=True)
