"""What a challenger has to show before it is promoted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from include.finetune.errors import InputError

# Conversations below which no interval keeps its rate; the bench of the gate shows that it is kept at this
# number.
MIN_ROWS: Final = 30
# Cheap truth -> by how much its rate may rise, as a share of the answers.
WORSENING: Final = {
    "empty": 0.01,
    "repeats_prompt": 0.02,
    "endless_repetition": 0.03,
    "cut_by_limit": 0.10,
    "other_script": 0.01,
}


@dataclass(frozen=True)
class Rules:
    """When a challenger is promoted."""

    # Nats per token by which it must surely be better.
    min_improvement: float = 0.01
    # How often a challenger that is better by no more than that may be promoted.
    rate: float = 0.05
    # Cheap truth -> by how much its rate may rise over the model to beat, as a share.
    worsening: Mapping[str, float] = field(default_factory=lambda: dict(WORSENING))
    # "loss" (nats per token), a cheap truth (its rate) or another measure -> the challenger's most.
    highest: Mapping[str, float] = field(default_factory=dict)
    # Fewer conversations never promote.
    min_rows: int = MIN_ROWS
    # A rate may always rise by so many answers: of 30, a single one is 3.3 %.
    spare_answers: int = 2

    def __post_init__(self) -> None:
        if not (math.isfinite(self.min_improvement) and self.min_improvement >= 0):
            raise InputError(f"min_improvement is {self.min_improvement}: take a number of nats from 0 up.")
        if not 0.001 <= self.rate <= 0.25:
            raise InputError(f"rate is {self.rate}: take a share of errors from 0.001 to 0.25, such as 0.05.")
        if self.min_rows < MIN_ROWS:
            raise InputError(
                f"min_rows is {self.min_rows}: below {MIN_ROWS} the rate of errors does not hold."
            )
        if self.spare_answers < 0:
            raise InputError(f"spare_answers is {self.spare_answers}: take a number of answers from 0 up.")
        for name, limit in {**self.worsening, **self.highest}.items():
            if not math.isfinite(limit):
                raise InputError(f"The limit of {name} is {limit}: take a finite number, or leave it out.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rules from a parameter of the run.

        Raises:
            InputError: for a name that there is not, or a value of another type or out of its range.
        """
        if unknown := sorted(values.keys() - cls.__dataclass_fields__.keys()):
            raise InputError(
                f"The gate has no rule {unknown[0]!r}: it has {', '.join(cls.__dataclass_fields__)}."
            )
        try:
            return cls(**values)
        except (TypeError, AttributeError) as error:
            raise InputError(
                f"A rule of the gate has a value of another type than a number: {error}."
            ) from error
