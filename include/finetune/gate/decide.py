"""The gate: the rows of two models in, a verdict out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from include.finetune.errors import InputError
from include.finetune.gate.interval import Interval, estimate
from include.finetune.gate.reasons import objections, praise
from include.finetune.gate.rows import Pairs, Row, pair
from include.finetune.gate.rules import Rules
from include.finetune.gate.verdict import LimitCheck, RateCheck, Verdict


def decide(
    reference: Sequence[Row],
    challenger: Sequence[Row],
    rules: Rules | None = None,
    *,
    against: str = "champion",
    measures: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Verdict:
    """Decide whether a challenger is promoted.

    Args:
        reference: rows of the model to beat.
        challenger: rows of the new model, on the same conversations.
        rules: what it has to show.
        against: "champion", or "base" if there is no champion.
        measures: what else the rules limit, for example ``{"latency_p95": 1.2}``.
        seed: of the bootstrap; the same one gives the same verdict.

    Raises:
        InputError: if the rows do not belong together, or a rule limits what nobody measured.
    """
    rules, pairs = rules or Rules(), pair(reference, challenger, against)
    draft = _draft(pairs, rules, against, _interval(pairs, rules, seed), measures or {})
    against_it = objections(draft, rules, pairs)
    reason = f"Not promoted: {'; and '.join(against_it)}." if against_it else praise(draft)
    return Verdict(**{**vars(draft), "promoted": not against_it, "reason": reason})


def _draft(
    pairs: Pairs, rules: Rules, against: str, interval: Interval | None, measures: Mapping[str, float]
) -> Verdict:
    """The figures of a verdict; no decision yet."""
    loss = _loss(pairs.challenger)
    return Verdict(
        promoted=False,
        reason="",
        against=against,
        effect=interval.effect if interval else None,
        low=_finite(interval.low) if interval else None,
        high=_finite(interval.high) if interval else None,
        spread=interval.spread if interval else None,
        reference_loss=_loss(pairs.reference),
        challenger_loss=_finite(loss),
        rows=len(pairs.tokens),
        effective_rows=pairs.effective_rows,
        rate=rules.rate,
        min_improvement=rules.min_improvement,
        cheap_truths=tuple(
            _rate_check(name, pairs, limit, rules.spare_answers) for name, limit in rules.worsening.items()
        ),
        limits=tuple(
            LimitCheck(name, _finite(_measure(name, pairs, {"loss": loss, **measures})), limit)
            for name, limit in rules.highest.items()
        ),
    )


def _interval(pairs: Pairs, rules: Rules, seed: int) -> Interval | None:
    if not math.isfinite(_loss(pairs.challenger)):
        return None
    return estimate(pairs.gains, pairs.tokens, rate=rules.rate, seed=seed)


def _loss(rows: Sequence[Row]) -> float:
    """Nats per token."""
    return sum(row.nll for row in rows) / sum(row.tokens for row in rows)


def _rate_check(name: str, pairs: Pairs, limit: float, spare: int) -> RateCheck:
    old, new = _checked(pairs.reference, name), _checked(pairs.challenger, name)
    return RateCheck(name, sum(old) / len(old), sum(new) / len(new), max(limit, spare / len(new)))


def _checked(rows: Sequence[Row], truth: str) -> list[bool]:
    """Whether a cheap truth holds, of each answer that was checked for it."""
    checked = [row.truths[truth] for row in rows if truth in row.truths]
    if not checked:
        raise InputError(
            f"The gate limits {truth!r}, but no answer was checked for it: let the evaluation measure it, "
            "or take the limit out of the rules."
        )
    return checked


def _measure(name: str, pairs: Pairs, measures: Mapping[str, float]) -> float:
    if name in measures:
        return measures[name]
    checked = _checked(pairs.challenger, name)
    return sum(checked) / len(checked)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
