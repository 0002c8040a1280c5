"""Many retrains through the gate as it is: how often it promotes, when the truth is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from include.finetune.gate.decide import decide
from include.finetune.gate.rows import Row
from include.finetune.gate.rules import Rules
from tests.bench.gate_world import HeldOut

WEEKS = 52


@dataclass(frozen=True)
class Year:
    """Weekly retrains of equal quality on the same held-out rows.

    Attributes:
        promoted: how many became champion.
        effect_promoted: whether, at the end, a truly better challenger beat the champion that was left.
    """

    promoted: int
    effect_promoted: bool


def promotions(
    rng: np.random.Generator,
    retrains: Iterable[int],
    rows: int,
    rules: Rules,
    *,
    quality: float = 0.0,
    disasters: float = 0.0,
    challengers: int = 1,
) -> int:
    """How many retrains promote, each on held-out rows of its own against a champion of quality 0.

    Args:
        rng: of the world, not of the gate.
        retrains: one element a retrain.
        rows: held-out conversations.
        rules: of the gate.
        quality: nats per token by which each challenger is truly better.
        disasters: skew of the challenger's losses, see ``HeldOut.model``.
        challengers: of how many the one with the best loss on the held-out rows is put to the gate.
    """
    count = 0
    for _ in retrains:
        held_out = HeldOut.draw(rng, rows)
        champion = held_out.model(rng)
        tried = [held_out.model(rng, quality, disasters) for _ in range(challengers)]
        count += decide(champion, min(tried, key=_summed), rules).promoted
    return count


def year(rng: np.random.Generator, rows: int, rules: Rules, effect: float) -> Year:
    """A year of retrains: the champion changes when one is promoted, the held-out rows never."""
    held_out = HeldOut.draw(rng, rows)
    champion, promoted = held_out.model(rng), 0
    for _ in range(WEEKS):
        challenger = held_out.model(rng)
        if decide(champion, challenger, rules).promoted:
            champion, promoted = challenger, promoted + 1
    better = held_out.model(rng, effect)
    return Year(promoted, decide(champion, better, rules).promoted)


def true_spread(rng: np.random.Generator, rows: int = 20_000) -> float:
    """What the gain on one conversation differs from the mean gain by, in nats per token; nothing of the gate's."""
    held_out = HeldOut.draw(rng, rows)
    one, other = (np.array([row.nll for row in held_out.model(rng)]) for _ in range(2))
    return float(np.std(one - other) / held_out.tokens.mean())


def _summed(rows: Sequence[Row]) -> float:
    return sum(row.nll for row in rows)
