"""How many held-out conversations a gain needs to be seen: said before anything is paid."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

from include.finetune.errors import InputError
from include.finetune.gate.interval import CAUTION
from include.finetune.gate.rules import MIN_ROWS, Rules

# Nats per token, until a verdict says better; small models tuned three times on ultrachat_200k: 0.13 to 0.14.
EXPECTED_SPREAD: Final = 0.15
# What heavy tails and answers that fail a cheap truth by chance cost, as a factor of the effect.
MARGIN: Final = 1.15
# Rows that an interval spends on the unknown spread and on unequal lengths; both from the bench of the gate.
SPENT: Final = 10


def rows_needed(effect: float, spread: float, rate: float = 0.05, power: float = 0.8) -> int:
    """Held-out conversations with which a gain of ``effect`` beyond ``min_improvement`` promotes.

    Args:
        effect: nats per token.
        spread: nats per token that one conversation differs from the mean gain by; see ``Verdict.spread``.
        rate: how often no gain at all may promote.
        power: how often a gain of this size shall.

    Raises:
        InputError: if a value is out of its range.
    """
    _check(effect=effect, spread=spread)
    needed = (MARGIN * _quantiles(rate, power) * spread / effect) ** 2 + SPENT
    return max(MIN_ROWS, math.ceil(needed - 1e-9))


def detectable_effect(rows: int, spread: float, rate: float = 0.05, power: float = 0.8) -> float:
    """The inverse of ``rows_needed``: nats per token beyond ``min_improvement``; inf for too few rows."""
    _check(spread=spread)
    if rows < MIN_ROWS:
        return math.inf
    return MARGIN * _quantiles(rate, power) * spread / math.sqrt(rows - SPENT)


def preflight(rows: int, rules: Rules | None = None, spread: float | None = None, power: float = 0.8) -> str:
    """One sentence for the person who chooses the share of the data.

    Args:
        rows: conversations that will be held out.
        rules: of the gate.
        spread: from an earlier verdict; None takes a typical one and says so.
        power: how often a gain of the size that the sentence names promotes.
    """
    rules = rules or Rules()
    if rows < rules.min_rows:
        return (
            f"{rows} held-out conversations are too few to tell a gain from luck, so nothing will be promoted: "
            f"take a share that holds out at least {rules.min_rows}."
        )
    known = f"a spread of {spread or EXPECTED_SPREAD:.2g}, {'as last time' if spread else 'a guess'}"
    effect = rules.min_improvement + detectable_effect(rows, spread or EXPECTED_SPREAD, rules.rate, power)
    return (
        f"{rows} held-out conversations can show an improvement of {effect:.2g} nats per token or more (in {power:.0%} "
        f"of cases, with {known}): take a larger share or accept that."
    )


def _quantiles(rate: float, power: float) -> float:
    if not (0 < rate < 0.5 <= power < 1):
        raise InputError(f"rate is {rate} and power {power}: take, for example, 0.05 and 0.8.")
    normal = NormalDist()
    return normal.inv_cdf(1 - CAUTION * rate) + normal.inv_cdf(power)


def _check(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} is {value}: take a number of nats per token above 0.")
