"""The verdict on two models' rows."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.finetune.errors import InputError
from include.finetune.gate.decide import decide
from include.finetune.gate.rows import Row
from include.finetune.gate.rules import Rules
from include.finetune.gate.verdict import Verdict
from tests.include.finetune.gate.rows import model, two

NO_TRUTHS = Rules(worsening={})


def with_truth(row: Row, name: str, holds: bool) -> Row:
    return replace(row, truths={**row.truths, name: holds})


def test_a_challenger_that_is_surely_better_is_promoted_and_says_by_how_much() -> None:
    verdict = decide(*two(100, gain=0.1))
    assert verdict.promoted
    assert verdict.effect == pytest.approx(0.1)
    assert verdict.low is not None
    assert 0.01 < verdict.low < 0.1
    assert verdict.reason == (
        "Promoted: 0.100 nats per token better than the champion on 100 conversations, and with 95% confidence "
        f"by more than {verdict.low:.3f} (needed: 0.01)."
    )


def test_a_gain_that_may_be_luck_is_not_promoted_and_says_how_many_rows_would_tell() -> None:
    verdict = decide(*two(60, gain=0.03, spread=0.2))
    assert not verdict.promoted
    assert (
        "its gain over the champion may be luck: 0.030 nats per token on 60 conversations" in verdict.reason
    )
    assert "conversations to show" in verdict.reason


def test_a_sure_gain_below_the_smallest_that_counts_is_not_promoted() -> None:
    rows = two(100, gain=0.02, spread=0.001)
    assert decide(*rows, Rules(min_improvement=0.01)).promoted
    verdict = decide(*rows, Rules(min_improvement=0.03))
    assert not verdict.promoted
    assert verdict.low == pytest.approx(0.02, abs=0.001)
    assert "0.03 are needed" in verdict.reason


def test_the_lower_end_must_be_above_the_smallest_gain_that_counts_and_not_the_effect_alone() -> None:
    low = decide(*two(100, gain=0.1)).low
    assert low is not None
    assert decide(*two(100, gain=0.1), Rules(min_improvement=low - 1e-6)).promoted
    assert not decide(*two(100, gain=0.1), Rules(min_improvement=low)).promoted


def test_a_worse_challenger_is_called_worse() -> None:
    verdict = decide(*two(100, gain=-0.1), against="base")
    assert not verdict.promoted
    assert (
        verdict.reason
        == "Not promoted: it is worse than the base by 0.100 nats per token on 100 conversations."
    )


def test_the_same_model_again_is_a_tie_and_not_promoted_even_if_nothing_is_needed() -> None:
    champion, _ = two(100, gain=0)
    verdict = decide(champion, champion, Rules(min_improvement=0))
    assert (verdict.promoted, verdict.effect, verdict.low, verdict.high) == (False, 0.0, 0.0, 0.0)


def test_three_rows_that_differ_among_many_ties_promote_nothing() -> None:
    champion, _ = two(60, gain=0)
    challenger = [replace(row, nll=row.nll - 50) if index < 3 else row for index, row in enumerate(champion)]
    verdict = decide(champion, challenger, Rules(min_improvement=0))
    assert verdict.effect is not None
    assert verdict.effect > 0
    assert not verdict.promoted


def test_one_row_with_a_huge_gain_promotes_nothing() -> None:
    champion, challenger = two(60, gain=0.0, spread=0.02)
    challenger[0] = replace(challenger[0], nll=0.0)
    assert not decide(champion, challenger, Rules(min_improvement=0)).promoted


@pytest.mark.parametrize("rows", [1, 2, 29])
def test_too_few_rows_never_promote_however_large_the_gain(rows: int) -> None:
    verdict = decide(*two(rows, gain=0.9, spread=0.001), Rules())
    assert not verdict.promoted
    assert f"{rows} held-out conversations are too few to tell a gain from luck" in verdict.reason
    Verdict.from_json(verdict.to_json())


def test_few_long_rows_that_outweigh_the_others_count_as_too_few() -> None:
    lengths = [40_000] * 3 + [100] * 97
    champion = model([1.2 * tokens for tokens in lengths], lengths)
    verdict = decide(champion, [replace(row, nll=row.nll * 0.8) for row in champion])
    assert not verdict.promoted
    assert "a few long conversations outweigh the others: the 100 tell no more than 3" in verdict.reason


def test_long_and_short_conversations_count_by_their_tokens() -> None:
    champion = model([100.0, 1000.0] * 50, [100, 1000] * 50)
    challenger = model([90.0, 990.0] * 50, [100, 1000] * 50)
    assert decide(champion, challenger).effect == pytest.approx(20 / 1100)


def test_a_cheap_truth_that_rose_above_its_limit_stops_a_better_model() -> None:
    champion, challenger = two(100, gain=0.1)
    looping = [
        replace(row, truths={**row.truths, "endless_repetition": index < 4})
        for index, row in enumerate(challenger)
    ]
    verdict = decide(champion, looping)
    assert not verdict.promoted
    assert verdict.reason == (
        "Not promoted: endless_repetition holds of 4.0% of its answers, of 0.0% of those of the champion, "
        "and may rise by 3.0% at most."
    )
    assert [check.name for check in verdict.cheap_truths if not check.holds] == ["endless_repetition"]


def test_a_cheap_truth_that_was_as_bad_before_does_not_stop_a_better_model() -> None:
    champion, challenger = two(100, gain=0.1)
    cut = [[with_truth(row, "cut_by_limit", True) for row in rows] for rows in (champion, challenger)]
    assert decide(cut[0], cut[1]).promoted


@pytest.mark.parametrize(("more", "promoted"), [(2, True), (3, False)])
def test_among_few_answers_two_more_are_no_reason_and_three_are(more: int, promoted: bool) -> None:
    champion, challenger = two(40, gain=0.2)
    worse = [with_truth(row, "empty", index < more) for index, row in enumerate(challenger)]
    assert decide(champion, worse).promoted is promoted
    assert not decide(champion, worse, Rules(worsening={"empty": 0.0}, spare_answers=0)).promoted


def test_absolute_limits_hold_for_the_loss_for_truths_and_for_what_is_handed_in() -> None:
    champion, challenger = two(100, gain=0.1)
    rules = Rules(highest={"loss": 1.5, "empty": 0.02, "latency_p95": 2.0})
    assert decide(champion, challenger, rules, measures={"latency_p95": 2.0}).promoted
    verdict = decide(champion, challenger, rules, measures={"latency_p95": 2.5})
    assert verdict.reason == "Not promoted: its latency_p95 is 2.5, and 2 is the most allowed."
    low = decide(champion, challenger, Rules(highest={"loss": 0.5}))
    assert [check.holds for check in low.limits] == [False]


def test_a_measure_that_is_not_finite_breaks_its_limit() -> None:
    verdict = decide(*two(100, 0.1), Rules(highest={"latency_p95": 2.0}), measures={"latency_p95": math.nan})
    assert "its latency_p95 is not finite, and 2 is the most allowed" in verdict.reason


def test_a_limit_on_what_nobody_measured_is_an_error() -> None:
    champion, challenger = two(100, gain=0.1)
    with pytest.raises(InputError, match="limits 'latency_p95', but no answer was checked for it"):
        decide(champion, challenger, Rules(highest={"latency_p95": 2.0}))
    bare = [[Row(row.row, row.tokens, row.nll) for row in rows] for rows in (champion, challenger)]
    with pytest.raises(InputError, match="limits 'empty', but no answer was checked for it"):
        decide(bare[0], bare[1])
    assert decide(bare[0], bare[1], NO_TRUTHS).promoted


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_challenger_whose_loss_is_not_finite_is_not_promoted_and_names_the_row(loss: float) -> None:
    champion, challenger = two(100, gain=0.1)
    challenger[7] = replace(challenger[7], nll=loss)
    verdict = decide(champion, challenger)
    assert verdict.reason == (
        f"Not promoted: its loss on conversation 'row-7' is {loss}, so the training diverged or the model is damaged."
    )
    assert (verdict.promoted, verdict.effect, verdict.challenger_loss) == (False, None, None)
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_a_verdict_does_not_depend_on_the_order_of_the_rows_and_repeats_itself() -> None:
    champion, challenger = two(100, gain=0.03)
    shuffled = random.Random(3).sample(challenger, len(challenger))
    assert decide(champion, challenger) == decide(champion, shuffled) == decide(champion[::-1], challenger)


def test_all_that_speaks_against_a_challenger_is_said_in_one_sentence() -> None:
    champion, challenger = two(20, gain=-0.3)
    worse = [with_truth(row, "empty", True) for row in challenger]
    reason = decide(champion, worse, Rules(highest={"loss": 0.5})).reason
    assert reason.count("; and ") == 3
    assert reason.endswith(".")


@given(
    losses=st.lists(
        st.tuples(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(1, 5000)), min_size=1, max_size=60
    )
)
def test_whatever_the_rows_the_verdict_is_strict_json_and_promotes_only_above_the_limit(
    losses: list[tuple[float, float, int]],
) -> None:
    champion = model([old for old, _, _ in losses], [tokens for _, _, tokens in losses])
    challenger = model([new for _, new, _ in losses], [tokens for _, _, tokens in losses])
    verdict = decide(champion, challenger)
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert not verdict.promoted or (verdict.low or 0) > verdict.min_improvement
    assert verdict.effect is not None
    assert (verdict.low is None) or verdict.low <= verdict.effect + 1e-9
    assert (verdict.high is None) or verdict.high >= verdict.effect - 1e-9
