"""Common English words beyond the sample's world: they give the tokenizer whole words for real text."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = Path(__file__).with_suffix(".txt").read_text().split()

ENDINGS = ("", "", "", "s", "ed", "ing", "ly", "er", "tion", "ment", "able", "ness")


def spelling(rng: random.Random) -> str:
    """A line of words, some with an ending, told again word by word: new words, and practice in copying."""
    words = ", ".join(rng.choice(WORDS) + rng.choice(ENDINGS) for _ in range(rng.randint(3, 8)))
    return f"{words}. Again: {words}."
