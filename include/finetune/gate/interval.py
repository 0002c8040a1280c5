"""How sure a difference of per-token loss is: a bootstrap over conversations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from include.finetune.gate.rows import Floats

# Share of the stated rate at which an end is really put: with heavy tails and skew, a nominal 5 % reaches 7 %.
CAUTION: Final = 0.7
RESAMPLES: Final = 2000
# Weights that are held at a time: they fit a core's cache, and are too few for BLAS to start threads.
BLOCK: Final = 40_000


@dataclass(frozen=True)
class Interval:
    """A difference of per-token loss in nats."""

    # Summed gain over summed tokens.
    effect: float
    # With the stated rate of error the true difference is above it; -inf if the rows set no bound.
    low: float
    # Likewise below it; inf if the rows set no bound.
    high: float
    # Standard error times the root of the number of conversations: what one conversation tells.
    spread: float


def estimate(
    gains: Floats, tokens: Floats, *, rate: float = 0.05, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Both one-sided limits of summed gain over summed tokens.

    The conversation is what is drawn at random, so it is what is resampled: its tokens share a topic and a fate.
    Each limit is the more careful one of the studentised bootstrap, which follows skew, and Student's t, which
    does not trust the few rows that a bootstrap can draw. See docs/adr/0016.

    Args:
        gains: nats by which each conversation is better; finite.
        tokens: of each conversation.
        rate: error of each end, for example 0.05.
        resamples: number of bootstrap samples.
        seed: the same one gives the same interval.
    """
    total, rows = tokens.sum(), len(gains)
    effect = float(gains.sum() / total)
    error = float(_errors(_moments(gains, tokens).sum(axis=0), rows))
    if rows < 2 or error <= 1e-12 * np.abs(gains).sum() / total:
        bound = math.inf if rows < 2 else 0.0
        return Interval(effect, effect - bound, effect + bound, 0.0)
    pivots = _pivots(gains, tokens, effect, resamples, np.random.default_rng(seed))
    tail, cautious = math.floor(CAUTION * rate * (resamples + 1)), CAUTION * rate
    student = t_quantile(1 - cautious, float(total**2 / (tokens @ tokens)) - 1)
    return Interval(
        effect,
        low=effect - error * max(float(pivots[resamples - tail]), student),
        high=effect - error * min(float(pivots[tail - 1]), -student),
        spread=error * math.sqrt(rows),
    )


def t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t by the expansion of Abramowitz and Stegun, 26.7.5; infinite without freedom."""
    if freedom < 1:
        return math.copysign(math.inf, probability - 0.5)
    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


def _moments(gains: Floats, tokens: Floats) -> Floats:
    """What a conversation adds to the sums from which an effect and its error follow, a row each."""
    return np.stack([gains, tokens, gains * gains, gains * tokens, tokens * tokens], axis=1)


def _errors(sums: Floats, rows: int) -> Floats:
    """Linearised standard error of the ratio of the first two sums; ``sums`` has the five moments first."""
    gain, token, gain2, product, token2 = sums
    effect = gain / token
    squares = np.maximum(0.0, gain2 - 2 * effect * product + effect * effect * token2)
    result: Floats = np.sqrt(squares * rows / max(rows - 1, 1)) / token
    return result


def _pivots(gains: Floats, tokens: Floats, effect: float, resamples: int, rng: np.random.Generator) -> Floats:
    """Studentised effects of the resamples, sorted; infinite where a resample has no spread."""
    rows, moments = len(gains), _moments(gains, tokens)
    step = max(1, BLOCK // rows)
    blocks = [
        _weights(rows, min(step, resamples - start), rng) @ moments for start in range(0, resamples, step)
    ]
    sums = np.concatenate(blocks).T
    off = sums[0] / sums[1] - effect
    off[np.abs(off) <= 1e-12 * np.abs(gains).sum() / tokens.sum()] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        pivots = np.nan_to_num(off / _errors(sums, rows), nan=0.0, posinf=np.inf, neginf=-np.inf)
    return np.sort(pivots)


def _weights(rows: int, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each resample draws each conversation."""
    drawn = rng.integers(0, rows, (resamples, rows)) + rows * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=rows * resamples).reshape(resamples, rows).astype(np.float64)
