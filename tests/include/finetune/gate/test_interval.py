"""The interval of a difference of per-token loss."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.finetune.gate.interval import estimate, t_quantile

RNG = np.random.default_rng(4)
GAINS, TOKENS = 5 * RNG.standard_normal(80), np.full(80, 50.0)


@pytest.mark.parametrize(
    ("probability", "freedom", "table"),
    [(0.95, 10, 1.812), (0.975, 30, 2.042), (0.99, 15, 2.602), (0.05, 60, -1.671)],
)
def test_the_quantiles_of_students_t_are_those_of_the_tables(
    probability: float, freedom: int, table: float
) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(table, abs=2e-3)


def test_the_same_seed_gives_the_same_interval_and_blocks_of_memory_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = estimate(GAINS, TOKENS, seed=3)
    assert whole == estimate(GAINS, TOKENS, seed=3) != estimate(GAINS, TOKENS, seed=4)
    monkeypatch.setattr("include.finetune.gate.interval.BLOCK", 80 * 7)
    assert estimate(GAINS, TOKENS, seed=3).low == pytest.approx(whole.low)


def test_the_interval_moves_with_the_gain_and_scales_with_the_unit() -> None:
    here = estimate(GAINS, TOKENS)
    moved, scaled = estimate(GAINS + 0.2 * TOKENS, TOKENS), estimate(2 * GAINS, TOKENS)
    assert (moved.low, moved.high) == pytest.approx((here.low + 0.2, here.high + 0.2))
    assert (scaled.low, scaled.high) == pytest.approx((2 * here.low, 2 * here.high))


def test_exchanging_the_models_mirrors_the_interval() -> None:
    here, there = estimate(GAINS, TOKENS), estimate(-GAINS, TOKENS)
    assert (here.low, here.high) == pytest.approx((-there.high, -there.low), rel=0.02)


def test_a_smaller_rate_gives_a_wider_interval() -> None:
    lows = [estimate(GAINS, TOKENS, rate=rate).low for rate in (0.001, 0.01, 0.05, 0.2)]
    assert all(strict < lax for strict, lax in pairwise(lows))


def test_four_times_the_rows_halve_the_width() -> None:
    one, four = estimate(GAINS, TOKENS), estimate(np.tile(GAINS, 4), np.tile(TOKENS, 4))
    assert (one.effect - one.low) / (four.effect - four.low) == pytest.approx(2, rel=0.1)
    assert one.spread == pytest.approx(four.spread, rel=0.02)


def test_what_is_drawn_is_the_conversation_and_not_the_token() -> None:
    short, long = estimate(GAINS, TOKENS), estimate(GAINS * 100, TOKENS * 100)
    assert long.low == pytest.approx(short.low)


def test_one_row_sets_no_bound() -> None:
    alone = estimate(np.array([3.0]), np.array([10.0]))
    assert (alone.effect, alone.low, alone.high) == (0.3, -math.inf, math.inf)


def test_an_interval_follows_the_skew_of_the_rows() -> None:
    skewed = np.exp(1.5 * RNG.standard_normal(200))
    interval = estimate(skewed - skewed.mean(), np.full(200, 1.0))
    assert interval.high - interval.effect > 1.2 * (interval.effect - interval.low)


@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.integers(1, 4000)), min_size=2, max_size=40))
def test_the_effect_is_inside_its_interval_whatever_the_rows(rows: list[tuple[float, int]]) -> None:
    gains, tokens = np.array([gain for gain, _ in rows]), np.array([float(count) for _, count in rows])
    interval = estimate(gains, tokens, resamples=200)
    slack = 1e-9 * (1 + np.abs(gains).max())
    assert interval.low - slack <= interval.effect <= interval.high + slack
    assert not math.isnan(interval.low + interval.high) or math.isinf(interval.high)
