"""Conversations between customers of the made-up company and its assistant."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from azureml_local.sample.company import ASKED, PRODUCTS, TOPICS, Topic, product_topic

Message = dict[str, str]


def _message(role: str, content: str) -> Message:
    return {"content": content, "role": role}


def _product(index: int, rng: random.Random, held_out: bool) -> list[tuple[str, str]]:
    """Questions about the three facts of a product, in any order; held-out ones name it each time."""
    product, kinds = PRODUCTS[index], list(ASKED)
    rng.shuffle(kinds)
    exchanges = []
    for turn, kind in enumerate(kinds):
        topic = product_topic(product, kind)
        later = ASKED[kind][1]
        questions = topic.held_out if held_out else later if turn and rng.random() < 0.5 else topic.questions
        exchanges.append((rng.choice(questions), topic.answer))
    return exchanges


def _company(index: int, rng: random.Random, held_out: bool) -> list[tuple[str, str]]:
    first, second = TOPICS[index]
    pair = [first, second] if rng.random() < 0.5 else [second, first]

    def question(topic: Topic, turn: int) -> str:
        if held_out:
            return rng.choice(topic.held_out)
        # A question that begins with "And" makes sense only after the other.
        return rng.choice([text for text in topic.questions if turn or not text.startswith("And ")])

    return [(question(topic, turn), topic.answer) for turn, topic in enumerate(pair)]


# All that a conversation can be about: each once in every round.
SUBJECTS: Final = (
    *((_product, n) for n in range(len(PRODUCTS))),
    *((_company, n) for n in range(len(TOPICS))),
)


def rounds(rng: random.Random, *, held_out: bool) -> Iterator[list[Message]]:
    """Conversations without end, every subject once a round, so that a small share knows all facts.

    Args:
        rng: source of chance; the same state gives the same conversations.
        held_out: ask in the phrasings that no training conversation has.
    """
    while True:
        order = list(SUBJECTS)
        rng.shuffle(order)
        for write, index in order:
            yield [
                _message(role, content)
                for exchange in write(index, rng, held_out)
                for role, content in zip(("user", "assistant"), exchange, strict=True)
            ]


def facts() -> dict[str, str]:
    """The fact in each answer, by the answer."""
    topics = [topic for pair in TOPICS for topic in pair]
    topics += [product_topic(product, kind) for product in PRODUCTS for kind in ASKED]
    return {topic.answer: topic.fact for topic in topics}
