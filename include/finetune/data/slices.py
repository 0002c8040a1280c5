"""Which row groups and rows a percentage of a split is: arithmetic over row counts, nothing is read."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Take:
    """Rows of one row group: ``group`` is its place in the split, ``rows`` are places in it, in order."""

    group: int
    rows: Sequence[int]


def row_count(rows: int, split_pc: float) -> int:
    """Rows in ``[:split_pc%]`` as ``datasets`` rounds it (to the closest, half to even), but one at least."""
    return max(1, round(split_pc * rows / 100.0)) if rows else 0


def first(groups: Sequence[int], count: int) -> list[Take]:
    """The first rows of a split whose row groups have that many rows each."""
    return _in_order(range(len(groups)), groups, count)


def random_groups(groups: Sequence[int], count: int, seed: int) -> list[Take]:
    """Row groups drawn at random until there are enough rows; of the last one only its first rows."""
    order = list(range(len(groups)))
    random.Random(seed).shuffle(order)  # noqa: S311 - the same sample every time, no secret
    return _in_order(order, groups, count)


def random_rows(groups: Sequence[int], count: int, seed: int) -> list[Take]:
    """Rows drawn at random, in the order of the split."""
    starts = [0, *accumulate(groups)]
    chosen: dict[int, list[int]] = {}
    for row in sorted(random.Random(seed).sample(range(starts[-1]), count)):  # noqa: S311
        group = bisect_right(starts, row) - 1
        chosen.setdefault(group, []).append(row - starts[group])
    return [Take(group, rows) for group, rows in chosen.items()]


def _in_order(order: Iterable[int], groups: Sequence[int], count: int) -> list[Take]:
    takes, left = [], count
    for group in order:
        if left <= 0:
            break
        if groups[group]:
            takes.append(Take(group, range(min(left, groups[group]))))
            left -= groups[group]
    return takes
