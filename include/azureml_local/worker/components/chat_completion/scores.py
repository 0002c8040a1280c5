"""How well predicted tokens match the reference, for choosing the best model by ``f1`` or ``exact``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np


def argmax(logits: Any, _: Any) -> Any:
    """Keep only the likeliest token of each place, so that an evaluation fits into memory."""
    return (logits[0] if isinstance(logits, tuple) else logits).argmax(dim=-1)


def matches(prediction: Any) -> dict[str, float]:
    """Mean token F1 and share of conversations without a mistake (0 to 1), given the true tokens before."""
    exact, f1 = [], []
    for guess, truth in zip(
        np.asarray(prediction.predictions), np.asarray(prediction.label_ids), strict=True
    ):
        learned = truth[1:] != -100
        said, due = guess[:-1][learned].tolist(), truth[1:][learned].tolist()
        exact.append(float(said == due))
        f1.append((Counter(said) & Counter(due)).total() / max(1, len(due)))  # both have the same length
    return {"exact": float(np.mean(exact)), "f1": float(np.mean(f1))}
