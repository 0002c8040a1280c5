"""The gate's error rates hold, in the same world as ``make bench-gate`` but with fewer retrains.

Each bound is the aim and the error of the simulation: a gate that keeps its aim fails a bound once in 1,000 seeds.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from include.finetune.gate.decide import decide
from include.finetune.gate.rules import Rules
from include.finetune.gate.sample_size import detectable_effect
from tests.bench import gate
from tests.bench.gate_retrains import WEEKS, promotions, true_spread, year
from tests.bench.gate_world import HeldOut

RNG = np.random.default_rng(11)
SPREAD = true_spread(np.random.default_rng(12), 5000)


def off(share: float, cases: int) -> float:
    """How far a share of so many cases may be off by chance."""
    return 3.1 * math.sqrt(share * (1 - share) / cases)


@pytest.mark.parametrize("rows", [30, 60, 200])
def test_of_retrains_of_equal_quality_no_more_than_the_rate_are_promoted(rows: int) -> None:
    promoted = promotions(RNG, range(300), rows, gate.ANY_GAIN)
    assert promoted / 300 <= 0.05 + off(0.05, 300)


def test_of_retrains_that_are_better_by_just_the_smallest_gain_that_counts_no_more_are_promoted() -> None:
    rules = Rules(min_improvement=0.05)
    promoted = promotions(RNG, range(300), 60, rules, quality=rules.min_improvement)
    assert promoted / 300 <= 0.05 + off(0.05, 300)


def test_a_challenger_with_rare_disasters_is_promoted_no_more_often() -> None:
    promoted = promotions(RNG, range(300), 60, gate.ANY_GAIN, disasters=1.0)
    assert promoted / 300 <= 0.05 + off(0.05, 300)


@pytest.mark.parametrize("rows", [60, 200])
def test_an_effect_of_the_size_that_the_preflight_states_is_promoted_four_times_of_five(rows: int) -> None:
    promoted = promotions(RNG, range(200), rows, gate.ANY_GAIN, quality=detectable_effect(rows, SPREAD))
    assert promoted / 200 >= 0.8 - off(0.8, 200)


def test_a_year_of_weekly_retrains_on_the_same_rows_keeps_the_rate_a_retrain() -> None:
    looks = [year(RNG, 60, gate.ANY_GAIN, effect=0.2) for _ in range(12)]
    # The weeks of a year share their rows: the years are what is independent.
    shares = np.array([look.promoted / WEEKS for look in looks])
    assert shares.mean() <= 0.05 + off(0.05, 12 * WEEKS)
    assert sum(look.effect_promoted for look in looks) >= 10


def test_a_verdict_measures_the_spread_that_the_next_preflight_plans_with() -> None:
    held_out = HeldOut.draw(RNG, 5000)
    assert decide(held_out.model(RNG), held_out.model(RNG)).spread == pytest.approx(SPREAD, rel=0.1)


def test_the_bench_writes_its_figures_and_a_table_with_their_aims(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "new" / "bench-gate.json"
    monkeypatch.setattr("sys.argv", ["gate", "--retrains", "10", "--years", "1", "--out", str(out)])
    assert gate.main() in (0, 1)
    figures = json.loads(out.read_text())
    assert list(figures) == [
        "null_retrains", "null_promoted", "effect", "effect_retrains", "effect_promoted", "looks",
    ]  # fmt: skip
    assert (figures["null_retrains"], figures["effect_retrains"]) == (10, 10)
    assert (figures["looks"]["years"], figures["looks"]["retrains"]) == (1, 52)
    assert "at most 5%" in capsys.readouterr().out


def test_a_missed_aim_is_not_kept() -> None:
    assert gate.Figure("", 50, 1000, most=0.05).kept
    assert not gate.Figure("", 51, 1000, most=0.05).kept
    assert not gate.Figure("", 799, 1000, least=0.8).kept
    assert gate.Figure("", 999, 1000).kept
