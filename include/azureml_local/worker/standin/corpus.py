"""The prose that the stand-in model is pre-trained on, written by this project.

It tells the sample's world (:mod:`azureml_local.worker.standin.world`) in notes and statements, and tells
of people who ask one another. It never shows a turn marker: to answer as a chat assistant, and to stop, is
left for fine-tuning.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from azureml_local.worker.standin.conversations import conversation
from azureml_local.worker.standin.prose import essay
from azureml_local.worker.standin.vocabulary import spelling
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


def _country(rng: random.Random) -> str:
    land = rng.choice(COUNTRIES)
    facts = [
        rng.choice([f"The capital of {land.name} is {land.capital}.",
                    f"Its capital is known: the capital of {land.name} is {land.capital}."]),
        rng.choice([f"People in {land.name} speak {land.language}.",
                    f"Its language is heard everywhere: people in {land.name} speak {land.language}."]),
        rng.choice([f"{land.name} is in {land.continent}.",
                    f"It lies on a continent: {land.name} is in {land.continent}."]),
    ]  # fmt: skip
    rng.shuffle(facts)
    return f"A note about {land.name}. " + " ".join(facts)


def _animal(rng: random.Random) -> str:
    beast = rng.choice(ANIMALS)
    the = f"{'An' if beast.name[0] in 'aeiou' else 'A'} {beast.name}"
    facts = [f"{the} eats {beast.food}.", f"{the} lives {beast.home}.", f"{the} has {beast.legs} legs."]
    rng.shuffle(facts)
    return f"A note about the {beast.name}. " + " ".join(facts)


def _sums(rng: random.Random) -> str:
    total = rng.randint(0, 15)
    lines = []
    for _ in range(rng.randint(3, 6)):
        other = rng.randint(0, 10)
        plus = total < other or (total + other <= 20 and rng.random() < 0.6)
        result = total + other if plus else total - other
        lines.append(f"{total} {'plus' if plus else 'minus'} {other} is {result}.")
        total = result if rng.random() < 0.5 else rng.randint(0, 15)
    return "Sums. " + " ".join(lines)


def _scene(rng: random.Random) -> str:
    who, thing, verb, place = rng.choice(PEOPLE), rng.choice(THINGS), rng.choice(VERBS), rng.choice(PLACES)
    how, instead = rng.sample(ADJECTIVES, 2)
    return rng.choice(
        [
            f"Every day: The {who} {verb.present} the {how} {thing} {place}. "
            f"Yesterday: The {who} {verb.past} the {how} {thing} {place}.",
            f"The {who} {verb.past} the {how} {thing} {place}. It was not {how}, it was {instead}. "
            f"So: The {who} {verb.past} the {instead} {thing} {place}.",
            f"The {who} {verb.past} the {how} {thing} {place}. In short: The {who} {verb.past} the {thing}.",
            f"The {who} has to {verb.base} the {how} {thing} {place}.",
        ]
    )


def _words(rng: random.Random) -> str:
    one, other = rng.choice(list(OPPOSITES.items()))
    verb = rng.choice(VERBS)
    pair = [f"The opposite of {one} is {other}.", f"The opposite of {other} is {one}."]
    rng.shuffle(pair)
    return " ".join([*pair, f"The past of {verb.base} is {verb.past}."])


def _calendar(rng: random.Random) -> str:
    names = rng.choice([DAYS, MONTHS])
    at = rng.randrange(len(names))
    following = [names[(at + step) % len(names)] for step in range(4)]
    return " ".join(f"{then} comes after {now}." for now, then in itertools.pairwise(following))


_ASKERS = ("visitor", "pupil", "guest", "traveller", "reader")
_ANSWERERS = ("guide", "host", "book", "librarian", "old man")


def _tale(rng: random.Random) -> str:
    asker, answerer = rng.choice(_ASKERS), rng.choice(_ANSWERERS)
    told = [message["content"] for message in conversation(rng)]
    return " ".join(
        f'{"Then the" if number else "The"} {asker} asked, "{question}" and the {answerer} said, "{answer}"'
        for number, (question, answer) in enumerate(zip(told[::2], told[1::2], strict=True))
    )


def paragraphs(seed: int) -> Iterator[str]:
    """Paragraphs without end; the same seed gives the same ones."""
    rng = random.Random(seed)  # noqa: S311  # a seeded draw, no secret
    writers = (_country, _sums, _scene, _animal, _words, _calendar, essay, spelling, _tale)
    weights = (2, 3, 3, 1, 1, 1, 1, 3, 20)
    while True:
        (writer,) = rng.choices(writers, weights)
        yield writer(rng)
