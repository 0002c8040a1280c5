"""Why a challenger is promoted or not, in words that need no statistics."""

from __future__ import annotations

import math
from collections.abc import Iterator

from include.finetune.gate.rows import Pairs
from include.finetune.gate.rules import Rules
from include.finetune.gate.sample_size import rows_needed
from include.finetune.gate.verdict import Verdict


def objections(draft: Verdict, rules: Rules, pairs: Pairs) -> list[str]:
    """What speaks against promotion, the gravest first; empty if nothing does."""
    found = [_diverged(pairs)] if draft.effect is None else [_too_few(draft, rules), _no_gain(draft)]
    return [objection for objection in (*found, *_limits(draft), *_truths(draft)) if objection]


def praise(verdict: Verdict) -> str:
    """The sentence of a verdict that promotes."""
    return (
        f"Promoted: {verdict.effect:.3f} nats per token better than the {verdict.against} on {verdict.rows} "
        f"conversations, and with {1 - verdict.rate:.0%} confidence by more than {_signed(verdict.low)} "
        f"(needed: {verdict.min_improvement:g})."
    )


def _diverged(pairs: Pairs) -> str:
    row = next(row for row in pairs.challenger if not math.isfinite(row.nll))
    return (
        f"its loss on conversation {row.row!r} is {row.nll}, so the training diverged or the model is damaged"
    )


def _too_few(draft: Verdict, rules: Rules) -> str:
    if draft.rows < rules.min_rows:
        return f"{draft.rows} held-out conversations are too few to tell a gain from luck (at least {rules.min_rows})"
    if draft.effective_rows < rules.min_rows / 2:
        return (
            f"a few long conversations outweigh the others: the {draft.rows} tell no more than "
            f"{math.floor(draft.effective_rows)} of equal length would, and these are too few to tell a gain from luck"
        )
    return ""


def _no_gain(draft: Verdict) -> str:
    if draft.low is not None and draft.low > draft.min_improvement:
        return ""
    effect, against = draft.effect or 0.0, f"the {draft.against}"
    if draft.high is not None and draft.high < 0:
        return f"it is worse than {against} by {-effect:.3f} nats per token on {draft.rows} conversations"
    if effect <= draft.min_improvement:
        return (
            f"it is {_signed(effect)} nats per token better than {against} on {draft.rows} conversations, "
            f"and {draft.min_improvement:g} are needed"
        )
    return (
        f"its gain over {against} may be luck: {effect:.3f} nats per token on {draft.rows} conversations, but at "
        f"{1 - draft.rate:.0%} confidence no more than {_signed(draft.low)}, and it must be above "
        f"{draft.min_improvement:g}{_cure(draft, effect)}"
    )


def _cure(draft: Verdict, effect: float) -> str:
    if (
        not draft.spread
        or (needed := rows_needed(effect - draft.min_improvement, draft.spread, draft.rate)) <= draft.rows
    ):
        return ""
    return f"; a gain of this size takes about {needed} conversations to show"


def _limits(draft: Verdict) -> Iterator[str]:
    for check in draft.limits:
        if not check.holds:
            value = "not finite" if check.value is None else f"{check.value:.4g}"
            yield f"its {check.name} is {value}, and {check.limit:g} is the most allowed"


def _truths(draft: Verdict) -> Iterator[str]:
    for check in draft.cheap_truths:
        if not check.holds:
            yield (
                f"{check.name} holds of {check.challenger:.1%} of its answers, of {check.reference:.1%} of those of "
                f"the {draft.against}, and may rise by {check.limit:.1%} at most"
            )


def _signed(value: float | None) -> str:
    return "an unknown number" if value is None else f"{value:.3f}"
