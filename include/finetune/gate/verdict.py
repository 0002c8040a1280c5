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
    """Promoted or not, and why.

    Attributes:
        promoted: whether the challenger becomes the champion.
        reason: one plain sentence.
        against: the model to beat: "champion" or "base".
        effect: nats per token by which the challenger is better; None if its loss is not finite.
        low: lower end of the interval, the one that decides; None if the rows set no bound.
        high: upper end of the interval; each end is wrong at most at ``rate``.
        spread: of a conversation, for planning the next evaluation.
        reference_loss: nats per token of the model to beat.
        challenger_loss: nats per token; None if it is not finite.
        rows: conversations.
        effective_rows: conversations of equal length that tell as much.
        rate: stated rate of error.
        min_improvement: what ``low`` had to be above.
        cheap_truths: each with its two rates and its limit.
        limits: each absolute limit.
    """

    promoted: bool
    reason: str
    against: str
    effect: float | None
    low: float | None
    high: float | None
    spread: float | None
    reference_loss: float
    challenger_loss: float | None
    rows: int
    effective_rows: float
    rate: float
    min_improvement: float
    cheap_truths: tuple[RateCheck, ...] = ()
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
