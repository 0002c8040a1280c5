"""Rows of models on the same conversations, made by hand."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from include.finetune.gate.rows import Row

FINE = dict.fromkeys(("empty", "repeats_prompt", "endless_repetition", "cut_by_limit", "other_script"), False)


def model(nll: Iterable[float], tokens: Iterable[int] | int = 100, **truths: Iterable[int]) -> list[Row]:
    """A model's rows; of each truth that is named, the numbers of the rows of which it holds."""
    losses = list(nll)
    lengths = [tokens] * len(losses) if isinstance(tokens, int) else list(tokens)
    holds = {name: set(numbers) for name, numbers in truths.items()}
    return [
        Row(
            f"row-{number}",
            lengths[number],
            loss,
            {**FINE, **{name: number in holds[name] for name in holds}},
        )
        for number, loss in enumerate(losses)
    ]


def two(rows: int, gain: float, spread: float = 0.1, seed: int = 1) -> tuple[list[Row], list[Row]]:
    """A champion, and a challenger that is better by exactly ``gain`` nats per token on these rows."""
    rng = np.random.default_rng(seed)
    old, noise = 100 + 20 * rng.random(rows), rng.standard_normal(rows)
    return model(old), model(old - 100 * (gain + spread * (noise - noise.mean())))
