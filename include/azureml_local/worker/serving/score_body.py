"""Reads the body of a scoring request for a chat model.

``{"input_data": {"input_string": I, "parameters": {...}}, "params": {}}`` where I is one conversation (a list
of messages) or a list of conversations; an answer each. Parameters are those of the registry's chat models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Message = dict[str, str]


class BadBodyError(ValueError):
    """The body cannot be scored; the message says what is wrong and what is expected."""


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn."""

    # Most tokens of the answer.
    max_new_tokens: int = 256
    # Draw at random; otherwise the likeliest token is taken.
    do_sample: bool = False
    # Above 0; less is closer to the likeliest token.
    temperature: float = 1.0
    # Above 0 to 1; share of the probability that is drawn from.
    top_p: float = 1.0


@dataclass(frozen=True)
class Chat:
    """Conversations to answer; ``single`` if the body held one and not a list of them."""

    conversations: list[list[Message]]
    sampling: Sampling
    single: bool


def read(body: Any) -> Chat:
    """The conversations and parameters of a body.

    Raises:
        BadBodyError: for anything else than the form above.
    """
    data = body.get("input_data") if isinstance(body, dict) else None
    if not isinstance(data, dict) or "input_string" not in data:
        raise BadBodyError(
            'The body needs {"input_data": {"input_string": [...], "parameters": {...}}}; '
            f"got {', '.join(map(repr, body)) if isinstance(body, dict) else type(body).__name__}."
        )
    given = data["input_string"]
    if not isinstance(given, list) or not given:
        raise BadBodyError(f"input_string must be a list of messages or of conversations, not {given!r:.60}.")
    single = isinstance(given[0], dict)
    conversations = [given] if single else given
    for conversation in conversations:
        _check(conversation)
    return Chat(
        conversations, _sampling({**(data.get("parameters") or {}), **(body.get("params") or {})}), single
    )


def _check(conversation: Any) -> None:
    if not isinstance(conversation, list) or not conversation:
        raise BadBodyError(f"A conversation must be a list of messages, not {conversation!r:.60}.")
    for message in conversation:
        if (
            not isinstance(message, dict)
            or message.get("role") not in ("system", "user", "assistant")
            or not isinstance(message.get("content"), str)
        ):
            raise BadBodyError(
                f"A message needs a role (system, user or assistant) and a text content; got {message!r:.80}."
            )
    if conversation[-1]["role"] != "user":
        raise BadBodyError(
            f"The last message has role {conversation[-1]['role']!r}: end with the user's message."
        )


def _sampling(given: dict[str, Any]) -> Sampling:
    rules = {"max_new_tokens": (int, 1, 4096), "temperature": (float, 0, 100), "top_p": (float, 0, 1)}
    chosen: dict[str, Any] = {}
    for name, (kind, least, most) in rules.items():
        value: Any = given.get(name)
        if value is None:
            continue
        right = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
        if not right or not least <= value <= most:
            raise BadBodyError(f"The parameter {name} is {value!r}: give a number from {least} to {most}.")
        chosen[name] = value
    sample = given.get("do_sample", False)
    if not isinstance(sample, bool):
        raise BadBodyError(f"The parameter do_sample is {sample!r}: give true or false.")
    # Drawing at temperature 0 means the likeliest token.
    return Sampling(
        **chosen, do_sample=sample and chosen.get("temperature", 1) > 0 and chosen.get("top_p", 1) > 0
    )
