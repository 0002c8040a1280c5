"""Memory that a tree of processes holds, and the end of one that holds too much; read from /proc."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def below(pid: int) -> list[int]:
    """Process ids of all that came from ``pid``, itself left out."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            direct = [int(word) for word in children.read_text().split()]
        except OSError:  # it ended while we looked
            continue
        for child in direct:
            found += [child, *below(child)]
    return found


def resident(pid: int) -> int:
    """Bytes of memory that one process holds, 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def kill_if_above(pid: int, limit: int) -> int | None:
    """End the largest process below ``pid`` if all together hold more than ``limit`` bytes, as a kernel does.

    Returns:
        How many bytes they held, None if that was within the limit.
    """
    held = {one: resident(one) for one in below(pid)}
    total = sum(held.values())
    if total <= limit or not held:
        return None
    try:
        os.kill(max(held, key=held.__getitem__), signal.SIGKILL)
    except ProcessLookupError:
        return None
    return total
