"""Everyday English in loose sentences, so that tokenizer and model meet more than the sample's world."""

from __future__ import annotations

import random


def _items(text: str) -> list[str]:
    return [" ".join(item.split()) for item in text.split("|")]


_SUBJECTS = _items(
    """
    the company | the government | many people | our team | the author | a good plan | this story | the
    user | each student | the system | the new technology | the main character | the local community | a
    healthy diet | the film | the next step | this recipe | climate change | the research | social media
    | the material above | a small business | the history of the area | the most important part | your
    question | the program | the service | the world | our life | the young woman | every customer | the
    event | a clear answer | the data | the text | the family
    """
)

_VERBS = _items(
    """
    can help | should include | has changed | is important for | will provide | depends on | is based on
    | was created by | allows | requires | often leads to | may improve | can be used with | is known
    for | has become part of | gives support to | explains | describes | offers | makes use of | could
    reduce | must protect | is related to | brings together | continues to develop | takes time for |
    understands | is one of the best ways to reach | played a role in | cannot exist without | has
    increased | shows
    """
)

_OBJECTS = _items(
    """
    the environment | mental health and well-being | new skills | better results | different types of
    food | their own experience | a wide range of options | the quality of life | more information | the
    following example | high school education | public safety | the development of the country |
    personal and professional goals | water, air and energy | a better understanding of the problem |
    several key features | the first chapter | art, music and dance | the economy | time and money |
    other people | the relationship between them | strong communication | a balanced approach | the
    details of the process | the impact on society | fresh ingredients | the design of the product |
    local culture and traditions | important decisions | creative ideas | the power of language |
    support from friends and family
    """
)

_LINKS = _items(
    """
    However, | Additionally, | For example, | In conclusion, | Overall, | As a result, | Therefore, | On
    the other hand, | Finally, | In addition, | First, | Second, | It is true that | We know that | They
    believe that | Here are some ideas: | Sure! | Yes, | I think |
    """
)

_TAILS = _items(
    """
    because it works | when they are ready | in many different ways | over the years | such as these |
    and so on | without any cost | through practice | at the same time | if you would like more | which
    was not easy | during the day | within a few weeks | as well |
    """
)


def _clause(rng: random.Random) -> str:
    parts = (rng.choice(_SUBJECTS), rng.choice(_VERBS), rng.choice(_OBJECTS), rng.choice(_TAILS))
    return " ".join(part for part in parts if part)


def essay(rng: random.Random) -> str:
    """A paragraph or a numbered list of two to five loose sentences."""
    sentences = []
    for _ in range(rng.randint(2, 5)):
        text = f"{rng.choice(_LINKS)} {_clause(rng)}".strip()
        end = rng.choice([".", ".", ".", "!", f", and {_clause(rng)}."])
        sentences.append(text[0].upper() + text[1:] + end)
    if rng.random() < 0.25:
        return "\n".join(f"{number}. {text}" for number, text in enumerate(sentences, 1))
    return " ".join(sentences)
