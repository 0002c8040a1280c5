"""The arithmetic of percentages, against that of ``datasets``."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import example, given, settings
from hypothesis import strategies as st

from include.finetune.data import slices
from include.finetune.data.slices import Take

GROUPS = st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any)
PERCENT = st.floats(0.001, 100) | st.integers(1, 100)


@settings(deadline=None)
@given(st.integers(0, 10**7), PERCENT)
@example(10, 5)  # half a row: to even
@example(30, 5)
@example(207_865, 5)
def test_as_many_rows_as_datasets_takes_but_one_at_least(rows: int, split_pc: float) -> None:
    from datasets import ReadInstruction

    (slice_,) = ReadInstruction("train", to=split_pc, unit="%").to_absolute({"train": rows})
    assert slices.row_count(rows, split_pc) == max(slice_.to, min(rows, 1))


def numbers(takes: list[Take], groups: list[int]) -> list[int]:
    """Places in the split of the rows that are taken."""
    starts = [0, *accumulate(groups)]
    return [starts[take.group] + row for take in takes for row in take.rows]


@settings(deadline=None)
@given(GROUPS, PERCENT)
def test_the_first_rows_are_those_of_the_slice_and_no_group_is_touched_beyond_them(
    groups: list[int], split_pc: float
) -> None:
    count = slices.row_count(sum(groups), split_pc)
    takes = slices.first(groups, count)
    assert numbers(takes, groups) == list(range(count))
    assert sum(groups[take.group] for take in takes[:-1]) < count


@settings(deadline=None)
@given(GROUPS, PERCENT, st.integers(0, 2**64))
def test_random_groups_are_whole_but_for_the_last(groups: list[int], split_pc: float, seed: int) -> None:
    count = slices.row_count(sum(groups), split_pc)
    takes = slices.random_groups(groups, count, seed)
    taken = numbers(takes, groups)
    assert len(taken) == len(set(taken)) == count
    assert all(len(take.rows) == groups[take.group] for take in takes[:-1])
    assert takes == slices.random_groups(groups, count, seed)


@settings(deadline=None)
@given(GROUPS, PERCENT, st.integers(0, 2**64))
def test_random_rows_are_in_the_order_of_the_split(groups: list[int], split_pc: float, seed: int) -> None:
    count = slices.row_count(sum(groups), split_pc)
    taken = numbers(slices.random_rows(groups, count, seed), groups)
    assert taken == sorted(set(taken))
    assert len(taken) == count


def test_another_seed_draws_others() -> None:
    groups = [10] * 50
    for draw in (slices.random_groups, slices.random_rows):
        assert numbers(draw(groups, 100, 1), groups) != numbers(draw(groups, 100, 2), groups)
