"""The smoke test: one question from the held-out conversations, and whether what comes back is an answer."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any

from include.finetune.data.conversation import problem_of
from include.finetune.errors import InputError
from include.finetune.recipe import GENERATION

log = logging.getLogger(__name__)


def request(lines: Sequence[str], seed: int | str = 42) -> dict[str, Any]:
    """The body that asks a chat model of Azure ML to go on with one of the conversations.

    Args:
        lines: conversations as JSON Lines.
        seed: chooses the conversation; the same seed chooses the same one.

    Raises:
        InputError: if there is no conversation, or the chosen one is malformed.
    """
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise InputError("The file of test conversations is empty: take a larger percentage of the data.")
    number, line = random.Random(int(seed)).choice(rows)  # noqa: S311
    row = json.loads(line)
    turns: Any = row.get("messages") if isinstance(row, dict) else None
    if problem := problem_of(turns, learn=False):
        raise InputError(f"test_gen.jsonl, line {number}: {problem.text}.")
    messages = [{"role": message["role"], "content": message["content"]} for message in turns]
    while len(messages) > 1 and messages[-1]["role"] == "assistant":
        messages.pop()
    return {"input_data": {"input_string": [messages], "parameters": dict(GENERATION)}, "params": {}}


def prompt(body: Mapping[str, Any]) -> str:
    """The last thing that the user says in a request."""
    return str(body["input_data"]["input_string"][0][-1]["content"])


def read(body: Mapping[str, Any], raw: str) -> dict[str, str]:
    """The answer out of an endpoint's response.

    Args:
        body: the request.
        raw: the response as it came.

    Returns:
        ``{"prompt": str, "answer": str}``

    Raises:
        InputError: if the response is empty, is not JSON, or has no text in it.
    """
    if not raw.strip():
        raise InputError("the response is empty")
    try:
        answer = text_of(json.loads(raw))
    except json.JSONDecodeError as error:
        raise InputError(f"the response is not JSON: {error}") from error
    if not answer:
        raise InputError("the response has no text in it")
    question = prompt(body)
    log.info("Asked: %s\nAnswered: %s", question, answer)
    return {"prompt": question, "answer": answer}


def text_of(value: Any) -> str:
    """The text in a response: a string, ``[...]``, ``{"output": ...}``, ``{"0": ...}``, ``{"choices": ...}``.

    An error that is wrapped in JSON is no text.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Sequence):
        return text_of(value[0]) if value else ""
    if isinstance(value, Mapping):
        for key in (
            "output",
            "outputs",
            "predictions",
            "choices",
            "message",
            "content",
            "generated_text",
            "text",
            "0",
        ):
            if key in value:
                return text_of(value[key])
    return ""
