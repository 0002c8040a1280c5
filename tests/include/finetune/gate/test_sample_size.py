"""How many held-out conversations a gain needs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.finetune.errors import InputError
from include.finetune.gate.rules import MIN_ROWS, Rules
from include.finetune.gate.sample_size import detectable_effect, preflight, rows_needed


@given(rows=st.integers(MIN_ROWS, 10**6), spread=st.floats(0.001, 10))
def test_the_rows_that_an_effect_needs_are_those_that_can_show_it(rows: int, spread: float) -> None:
    effect = detectable_effect(rows, spread)
    assert rows_needed(effect, spread) in (rows, rows + 1)
    assert rows_needed(effect * 1.1, spread) <= rows <= rows_needed(effect * 0.9, spread)


def test_half_the_effect_takes_about_four_times_the_rows() -> None:
    assert rows_needed(0.01, 0.15) / rows_needed(0.02, 0.15) == pytest.approx(4, rel=0.05)


def test_a_stricter_rate_and_more_power_take_more_rows() -> None:
    plain = rows_needed(0.02, 0.15)
    assert rows_needed(0.02, 0.15, rate=0.01) > plain
    assert rows_needed(0.02, 0.15, power=0.95) > plain


def test_no_effect_is_so_large_that_fewer_rows_than_the_least_suffice() -> None:
    assert rows_needed(100, 0.15) == MIN_ROWS
    assert detectable_effect(MIN_ROWS - 1, 0.15) == math.inf


@pytest.mark.parametrize(
    ("effect", "spread"), [(0, 0.1), (-1, 0.1), (0.1, 0), (math.nan, 0.1), (0.1, math.inf)]
)
def test_an_effect_or_a_spread_that_is_none_is_an_error(effect: float, spread: float) -> None:
    with pytest.raises(InputError, match="take a number of nats per token above 0"):
        rows_needed(effect, spread)


@pytest.mark.parametrize(("rate", "power"), [(0.0, 0.8), (0.6, 0.8), (0.05, 1.0), (0.05, 0.3)])
def test_a_rate_or_a_power_that_is_none_is_an_error(rate: float, power: float) -> None:
    with pytest.raises(InputError, match="take, for example, 0"):
        rows_needed(0.02, 0.15, rate, power)


def test_the_preflight_says_what_can_be_seen_before_anything_is_paid() -> None:
    effect = 0.01 + detectable_effect(60, 0.1)
    assert preflight(60, Rules(), 0.1) == (
        f"60 held-out conversations can show an improvement of {effect:.2g} nats per token or more (in 80% of cases, "
        "with a spread of 0.1, as last time): take a larger share or accept that."
    )
    assert "with a spread of 0.15, a guess" in preflight(60)


def test_the_preflight_says_that_too_few_rows_promote_nothing() -> None:
    assert preflight(12) == (
        "12 held-out conversations are too few to tell a gain from luck, so nothing will be promoted: take a share "
        "that holds out at least 30."
    )
