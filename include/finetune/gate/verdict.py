"""What the gate decided, and on what grounds; as JSON it is an artifact, a tag and a page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class RateCheck:
    """A cheap truth: the share of each model's answers of which it holds, and by how much that may rise."""

    name: str
    reference: float
    challenger: float
    limit: float

    @property
    def holds(self) -> bool:
        """Whether the rate rose by no more than the limit; 1e-9 is for the rounding of shares."""
        return self.challenger - self.reference <= self.limit + 1e-9


@dataclass(frozen=True)
class LimitCheck:
    """An absolute limit of the challenger; a value of None is one that is not finite, and breaks it."""

    name: str
    value: float | None
    limit: float

    @property
    def holds(self) -> bool:
        """Whether the value is at most the limit."""
        return self.value is not None and self.value <= self.limit + 1e-9


@dataclass(frozen=True)
class Verdict:
    """Promoted or not, and why."""

    # Whether the challenger becomes the champion.
    promoted: bool
    # One plain sentence.
    reason: str
    # The model to beat: "champion" or "base".
    against: str
    # Nats per token by which the challenger is better; None if its loss is not finite.
    effect: float | None
    # Lower end of the interval, the one that decides; None if the rows set no bound.
    low: float | None
    # Upper end of the interval; each end is wrong at most at ``rate``.
    high: float | None
    # Of a conversation, for planning the next evaluation.
    spread: float | None
    # Nats per token of the model to beat.
    reference_loss: float
    # Nats per token; None if it is not finite.
    challenger_loss: float | None
    # Conversations.
    rows: int
    # Conversations of equal length that tell as much.
    effective_rows: float
    # Stated rate of error.
    rate: float
    # What ``low`` had to be above.
    min_improvement: float
    # Each with its two rates and its limit.
    cheap_truths: tuple[RateCheck, ...] = ()
    # Each absolute limit.
    limits: tuple[LimitCheck, ...] = ()

    def to_json(self) -> str:
        """Strict JSON: numbers are finite, or null."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The verdict that ``to_json`` wrote."""
        values = json.loads(text)
        values["cheap_truths"] = tuple(RateCheck(**check) for check in values["cheap_truths"])
        values["limits"] = tuple(LimitCheck(**check) for check in values["limits"])
        return cls(**values)
