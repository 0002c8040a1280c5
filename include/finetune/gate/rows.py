"""What an evaluation measures per held-out conversation, and two models' rows side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from include.finetune.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One conversation, evaluated with one model."""

    # Id of the conversation, the same for every model.
    row: str
    # Tokens of the assistant's turns.
    tokens: int
    # Negative log-likelihood of these tokens, summed, in nats; not finite if the model diverged.
    nll: float
    # Cheap truth -> whether it holds of the generated answer; empty if none was generated.
    truths: Mapping[str, bool] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """A row of the evaluation's JSON Lines; other columns are ignored, and a loss of null is not finite."""
        truths = {str(name): bool(holds) for name, holds in dict(values.get("truths") or {}).items()}
        nll = math.nan if values["nll"] is None else float(values["nll"])
        return cls(str(values["row"]), int(values["tokens"]), nll, truths)


@dataclass(frozen=True)
class Pairs:
    """Both models on the same conversations, sorted by id: a verdict does not depend on the files' order."""

    reference: Sequence[Row]
    challenger: Sequence[Row]

    @cached_property
    def tokens(self) -> Floats:
        """Tokens of each conversation."""
        return np.array([row.tokens for row in self.reference], dtype=np.float64)

    @cached_property
    def gains(self) -> Floats:
        """Nats by which the challenger is better on each conversation; negative where it is worse."""
        return np.array(
            [old.nll - new.nll for old, new in zip(self.reference, self.challenger, strict=True)],
            dtype=np.float64,
        )

    @property
    def effective_rows(self) -> float:
        """Number of equally long conversations that would tell as much (Kish, 1965)."""
        return float(self.tokens.sum() ** 2 / (self.tokens @ self.tokens))


def pair(reference: Sequence[Row], challenger: Sequence[Row], against: str = "champion") -> Pairs:
    """Put two models' rows side by side.

    Args:
        reference: rows of the model to beat; all of them must be finite.
        challenger: rows of the new model; a loss that is not finite is for the verdict to judge.
        against: what to call the model to beat.

    Raises:
        InputError: if the two were not evaluated on the same conversations in the same way.
    """
    old, new = _by_id(reference, against), _by_id(challenger, "challenger")
    if alone := sorted(old.keys() ^ new.keys()):
        raise InputError(
            f"The {against} and the challenger were evaluated on different conversations: {len(alone)} belong to "
            f"one of them only, such as {alone[0]!r}; evaluate both on the same file."
        )
    if not old:
        raise InputError("No conversation was evaluated: hold out a larger share of the data.")
    for key in old:
        _check_pair(old[key], new[key], against)
    order = sorted(old)
    return Pairs([old[key] for key in order], [new[key] for key in order])


def _by_id(rows: Sequence[Row], model: str) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in rows:
        if row.row in found:
            raise InputError(
                f"Conversation {row.row!r} stands twice in the {model}'s rows: give each its own id."
            )
        if row.tokens < 1 or row.nll < 0:
            raise InputError(
                f"Conversation {row.row!r} of the {model} has {row.tokens} tokens and a loss of {row.nll:g}: leave out "
                "conversations without an assistant's turn, and sum negative log-likelihoods, which are above 0."
            )
        found[row.row] = row
    return found


def _check_pair(old: Row, new: Row, against: str) -> None:
    if not math.isfinite(old.nll):
        raise InputError(
            f"The {against}'s loss on conversation {old.row!r} is {old.nll}: nothing can be compared with it; "
            "evaluate it again, or compare with another version."
        )
    if old.tokens != new.tokens:
        raise InputError(
            f"Conversation {old.row!r} has {old.tokens} tokens for the {against} and {new.tokens} for the challenger: "
            "losses per token compare only under the same tokenizer and length limit."
        )
    if old.truths.keys() != new.truths.keys():
        raise InputError(
            f"The answers to conversation {old.row!r} were checked for {sorted(old.truths)} with the {against} and "
            f"{sorted(new.truths)} with the challenger: check both alike."
        )
