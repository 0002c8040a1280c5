"""A world of simulated held-out conversations and models, of which the true quality is known."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from include.finetune.gate.rows import Floats, Row

SHARES: Final = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
LENGTHS: Final = (34, 49, 83, 115, 184, 282, 397, 479, 512, 563, 1500)
"""Tokens of the assistant's turns at these shares, as in 1,000 conversations of ultrachat_200k; some much longer."""
TRUTHS: Final = {
    "empty": 0.003,
    "repeats_prompt": 0.006,
    "endless_repetition": 0.02,
    "cut_by_limit": 0.4,
    "other_script": 0.006,
}
"""Cheap truth -> share of the answers of which it holds, whichever the model."""
ALIKE: Final = 0.7
"""Correlation of two models' answers to one prompt."""
FREEDOM: Final = 4.0
"""Of Student's t, the shape of a model's deviations: heavy tails, infinite kurtosis."""


@dataclass(frozen=True)
class HeldOut:
    """Held-out conversations: lengths, how hard each is, and how much models differ on it."""

    tokens: Floats
    loss: Floats
    scale: Floats
    temper: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, rows: int) -> HeldOut:
        """So many conversations of the population."""
        tokens = np.interp(rng.random(rows), SHARES, LENGTHS).round()
        loss = 1.15 * np.exp(0.35 * rng.standard_normal(rows))
        scale = 0.08 * np.exp(0.5 * rng.standard_normal(rows)) * np.sqrt(0.5 + 100 / tokens)
        return cls(tokens, loss, scale, rng.standard_normal((rows, len(TRUTHS))))

    def model(self, rng: np.random.Generator, quality: float = 0.0, disasters: float = 0.0) -> list[Row]:
        """The rows of a freshly trained model.

        Args:
            rng: decides how well it fares on each conversation.
            quality: nats per token by which it is truly better than a model of quality 0.
            disasters: skew: 0 for none, 1 for rare conversations on which it fails badly.
        """
        deviation = self.scale * _standard_t(rng, len(self.tokens))
        if disasters:
            deviation += self.scale * _skewed(rng, len(self.tokens), disasters)
        nll = self.tokens * np.maximum(0.02, self.loss + deviation - quality)
        own = rng.standard_normal(self.temper.shape)
        holds = np.sqrt(ALIKE) * self.temper + np.sqrt(1 - ALIKE) * own < _THRESHOLDS
        return [
            Row(str(number), int(tokens), float(loss), dict(zip(TRUTHS, truths, strict=True)))
            for number, (tokens, loss, truths) in enumerate(
                zip(self.tokens, nll, holds.tolist(), strict=True)
            )
        ]


_THRESHOLDS = np.array([NormalDist().inv_cdf(rate) for rate in TRUTHS.values()])


def _standard_t(rng: np.random.Generator, rows: int) -> Floats:
    result: Floats = rng.standard_t(FREEDOM, rows) * np.sqrt((FREEDOM - 2) / FREEDOM)
    return result


def _skewed(rng: np.random.Generator, rows: int, skew: float) -> Floats:
    """Log-normal, moved to mean 0 and scaled to variance 1: mostly a little better, seldom much worse."""
    mean, variance = np.exp(skew**2 / 2), (np.exp(skew**2) - 1) * np.exp(skew**2)
    result: Floats = (np.exp(skew * rng.standard_normal(rows)) - mean) / np.sqrt(variance)
    return result
