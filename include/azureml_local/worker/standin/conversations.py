"""Writes one conversation of each kind: facts, small sums, rewriting, follow-up questions."""

from __future__ import annotations

import random
from collections.abc import Callable

from azureml_local.worker.standin.world import (
    ADJECTIVES,
    ANIMALS,
    COUNTRIES,
    DAYS,
    MONTHS,
    OPPOSITES,
    PEOPLE,
    PLACES,
    THINGS,
    VERBS,
)

# A question of the user and the assistant's answer.
Exchange = tuple[str, str]

Kind = Callable[[random.Random], list[Exchange]]


def country(rng: random.Random) -> list[Exchange]:
    """Capital, language and continent of a country, in any order; later questions say only "it"."""
    land = rng.choice(COUNTRIES)
    facts = [
        (
            [f"What is the capital of {land.name}?", f"Which city is the capital of {land.name}?",
             f"Tell me the capital of {land.name}.", f"Do you know the capital of {land.name}?"],
            ["And what is its capital?", "Which city is its capital?"],
            f"It is {land.capital}.",
        ),
        (
            [f"What language is spoken in {land.name}?", f"Which language do people speak in {land.name}?",
             f"Tell me the language of {land.name}.", f"What do people speak in {land.name}?"],
            ["And what is its language?", "Which language do people speak there?"],
            f"They speak {land.language}.",
        ),
        (
            [f"On which continent is {land.name}?", f"Where in the world is {land.name}?",
             f"Tell me the continent of {land.name}.", f"What continent is {land.name} in?"],
            ["And on which continent is it?", "Where in the world is it?"],
            f"It is in {land.continent}.",
        ),
    ]  # fmt: skip
    rng.shuffle(facts)
    return [
        (rng.choice(first if turn == 0 else later), said) for turn, (first, later, said) in enumerate(facts)
    ]


def animal(rng: random.Random) -> list[Exchange]:
    """Food, home and legs of an animal, in any order; later questions say only "it"."""
    beast = rng.choice(ANIMALS)
    the = f"{'an' if beast.name[0] in 'aeiou' else 'a'} {beast.name}"
    facts = [
        ([f"What does {the} eat?", f"Tell me what {the} eats.", f"What is the food of {the}?"],
         ["And what does it eat?"], f"It eats {beast.food}."),
        ([f"Where does {the} live?", f"Tell me where {the} lives.", f"What is the home of {the}?"],
         ["And where does it live?"], f"It lives {beast.home}."),
        ([f"How many legs does {the} have?", f"Tell me how many legs {the} has.",
          f"Count the legs of {the}."],
         ["And how many legs does it have?"], f"It has {beast.legs} legs."),
    ]  # fmt: skip
    rng.shuffle(facts)
    return [
        (rng.choice(first if turn == 0 else later), said) for turn, (first, later, said) in enumerate(facts)
    ]


def sums(rng: random.Random) -> list[Exchange]:
    """A sum of numbers up to 20, then sums that go on from its result."""
    total, other = rng.randint(0, 15), rng.randint(0, 10)
    exchanges: list[Exchange] = []
    for turn in range(3):
        plus = total < other or (total + other <= 20 and rng.random() < 0.6)
        word, result = ("plus", total + other) if plus else ("minus", total - other)
        first = [f"What is {total} {word} {other}?", f"How much is {total} {word} {other}?",
                 f"Please work out {total} {word} {other}.", f"{total} {word} {other}?"]  # fmt: skip
        later = [f"And {word} {other}?", f"Now {word} {other}."]
        exchanges.append((rng.choice(later if turn else first), f"That makes {result}."))
        total, other = result, rng.randint(1, 6)
    return exchanges


def rewriting(rng: random.Random) -> list[Exchange]:
    """A sentence put into the past, then given another adjective, then shortened."""
    who, thing, verb, place = rng.choice(PEOPLE), rng.choice(THINGS), rng.choice(VERBS), rng.choice(PLACES)
    how, instead = rng.sample(ADJECTIVES, 2)
    asked = rng.choice(
        ["Put this sentence in the past:", "Rewrite this in the past:", "Say this about yesterday:"]
    )
    return [
        (f"{asked} The {who} {verb.present} the {how} {thing} {place}.",
         f"The {who} {verb.past} the {how} {thing} {place}."),
        (f"Now write {instead} for {how}.", f"The {who} {verb.past} the {instead} {thing} {place}."),
        ("Now make it shorter.", f"The {who} {verb.past} the {thing}."),
    ]  # fmt: skip


def words(rng: random.Random) -> list[Exchange]:
    """Opposites of words, both ways, then the past of a verb."""
    pair = rng.choice(list(OPPOSITES.items()))
    one, other = pair if rng.random() < 0.5 else pair[::-1]
    verb = rng.choice(VERBS)
    return [
        (rng.choice([f"What is the opposite of {one}?", f"Tell me the opposite of {one}.",
                     f"Which word is the opposite of {one}?", f"Do you know the opposite of {one}?"]),
         f"It is {other}."),
        (f"And of {other}?", f"It is {one}."),
        (f"What is the past of {verb.base}?", f"It is {verb.past}."),
    ]  # fmt: skip


def calendar(rng: random.Random) -> list[Exchange]:
    """Which day or month comes next, and the one after that."""
    names, unit = (DAYS, "day") if rng.random() < 0.4 else (MONTHS, "month")
    at = rng.randrange(len(names))
    one, two, three = (names[(at + step) % len(names)] for step in range(3))
    return [
        (rng.choice([f"Which {unit} comes after {one}?", f"What {unit} follows {one}?",
                     f"Name the {unit} after {one}.", f"Tell me the {unit} after {one}."]),
         f"It is {two}."),
        ("And the next one?", f"It is {three}."),
    ]  # fmt: skip


KINDS: tuple[Kind, ...] = (country, sums, rewriting, animal, words, calendar)
# How often each kind is drawn: the more it can vary, the more often.
WEIGHTS = (6, 6, 4, 4, 2, 1)


def conversation(rng: random.Random) -> list[dict[str, str]]:
    """One conversation of two to six messages, roles in turn, the user first.

    Args:
        rng: source of chance; the same state gives the same conversation.
    """
    (kind,) = rng.choices(KINDS, WEIGHTS)
    exchanges = kind(rng)
    kept = exchanges[: rng.choices((1, 2, 3), (2, 4, 4))[0]]
    return [
        {"content": content, "role": role}
        for exchange in kept
        for role, content in zip(("user", "assistant"), exchange, strict=True)
    ]
