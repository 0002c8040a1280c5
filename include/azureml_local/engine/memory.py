"""The end of a tree of processes that holds too much memory."""

from __future__ import annotations

from contextlib import suppress

import psutil


def kill_if_above(pid: int, limit: int) -> int | None:
    """End the largest process below ``pid`` if all together hold more than ``limit`` bytes, as a kernel does.

    Returns:
        How many bytes they held, None if that was within the limit.
    """
    held: dict[psutil.Process, int] = {}
    # A process may end at any time; what has ended holds nothing.
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                held[process] = process.memory_info().rss
    total = sum(held.values())
    if total <= limit or not held:
        return None
    try:
        max(held, key=held.__getitem__).kill()
    except psutil.NoSuchProcess:
        return None
    return total
