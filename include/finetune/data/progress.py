"""How far the reading of a split is: a line in the log every few seconds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

# Seconds between two lines.
EVERY: Final = 5.0
MB: Final = 1e6


class Progress:
    """Counts rows and bytes of one split.

    Args:
        split: its name.
        clock: seconds that only grow.
    """

    def __init__(self, split: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.split, self._clock = split, clock
        self.bytes = self.rows = 0
        self.bytes_due: int | None = None
        self.rows_due: int | None = None
        self._begun = self._said = clock()

    def expect(self, rows: int, more_bytes: int) -> None:
        """Say how much is still to come."""
        self.rows_due, self.bytes_due = rows, self.bytes + more_bytes

    def received(self, count: int) -> None:
        """Count bytes that have come over the wire."""
        self.bytes += count
        self._say_if_due()

    def row(self) -> None:
        """Count a row."""
        self.rows += 1
        self._say_if_due()

    def line(self) -> str:
        """Rows, MB, MB/s and the time left, as far as they are known."""
        seconds = max(self._clock() - self._begun, 1e-3)
        return (
            f"{self.split}: {_of(f'{self.rows:,}', self.rows_due and f'{self.rows_due:,}')} rows, "
            f"{_of(f'{self.bytes / MB:.1f}', self.bytes_due and f'{self.bytes_due / MB:.1f}')} MB, "
            f"{self.bytes / MB / seconds:.1f} MB/s{self._left(seconds)}"
        )

    def _left(self, seconds: float) -> str:
        """By rows if some have come, else by bytes."""
        by_rows = bool(self.rows and self.rows_due)
        done, due = (self.rows, self.rows_due) if by_rows else (self.bytes, self.bytes_due)
        return f", {seconds * (due - done) / done:.0f} s left" if done and due else ""

    def _say_if_due(self) -> None:
        if self._clock() - self._said >= EVERY:
            self._said = self._clock()
            log.info("%s", self.line())


def _of(done: str, due: str | int | None) -> str:
    return f"{done} of {due}" if due else done
