"""The smoke test as a contract: seeded questions to an endpoint, and what every answer has to keep."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from include.finetune.errors import InputError
from include.finetune.evaluation.truths import empty, endless_repetition, repeats_prompt

BROKEN: Final = {
    "empty": "is empty",
    "repeats_prompt": "repeats the question",
    "endless_repetition": "repeats itself without end",
}


@dataclass(frozen=True)
class Reply:
    """What became of one question."""

    # What the user said last.
    prompt: str
    # The text of the response; None if it had none, or came not at all.
    answer: str | None
    # From request to response, of the attempt that was answered.
    seconds: float
    # Attempts before it that found the model still loading.
    cold_starts: int = 0
    # Why there is no answer.
    error: str = ""


@dataclass(frozen=True)
class Contract:
    """Limits in seconds, None for no limit."""

    latency_p50: float | None = None
    latency_p95: float | None = None


@dataclass(frozen=True)
class Report:
    """How an endpoint kept a contract; ``broken`` has one sentence a breach and is empty if it was kept."""

    answers: int
    cold_starts: int
    latency_p50: float
    latency_p95: float
    broken: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether nothing was broken."""
        return not self.broken

    def to_json(self) -> str:
        """Strict JSON."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The report that ``to_json`` wrote."""
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "broken": tuple(values["broken"])})


def choose(lines: Sequence[str], number: int, seed: int | str = 42) -> list[str]:
    """So many different conversations out of JSON Lines; the first is the one that a single question takes.

    Raises:
        InputError: if there are fewer.
    """
    rows = [line for line in lines if line.strip()]
    if not 1 <= number <= len(rows):
        raise InputError(
            f"The smoke test is to ask {number} questions, and there are {len(rows)} test conversations: ask from 1 to "
            "that many, or take a larger percentage of the data."
        )
    return random.Random(int(seed)).sample(rows, number)  # noqa: S311


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def examine(replies: Sequence[Reply], contract: Contract) -> Report:
    """Judge an endpoint's replies; raises InputError: if there are none."""
    if not replies:
        raise InputError("The endpoint was asked nothing: ask at least one question.")
    seconds = [reply.seconds for reply in replies]
    p50, p95 = percentile(seconds, 0.5), percentile(seconds, 0.95)
    slow = [*_slow("median", p50, contract.latency_p50), *_slow("95th percentile", p95, contract.latency_p95)]
    faults = [fault for number, reply in enumerate(replies, 1) for fault in _faults(number, reply)]
    return Report(len(replies), sum(reply.cold_starts for reply in replies), p50, p95, (*faults, *slow))


def _faults(number: int, reply: Reply) -> Iterator[str]:
    if reply.answer is None:
        yield f"Question {number} has no answer: {reply.error or 'the response has no text in it'}."
        return
    found = {
        "empty": empty(reply.answer),
        "repeats_prompt": repeats_prompt(reply.prompt, reply.answer),
        "endless_repetition": endless_repetition(reply.answer),
    }
    yield from (f"Answer {number} {BROKEN[name]}." for name, holds in found.items() if holds)


def _slow(what: str, seconds: float, limit: float | None) -> Iterator[str]:
    if limit is not None and not seconds <= limit:
        yield f"The {what} of the latency is {seconds:.2f} s, and {limit:g} s is the most allowed."
