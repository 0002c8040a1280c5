"""The smoke test: a question from the held-out conversations, and the check of the answer."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from azure_ml.bounds import LINE, cut
from azure_ml.masking import masked
from azure_ml.operators.rendered import whole
from include.finetune.data.conversation import problem_of
from include.finetune.errors import InputError
from include.finetune.recipe import GENERATION

log = logging.getLogger(__name__)


def request(lines: Sequence[str], seed: int | str = 42) -> dict[str, Any]:
    """The body that asks a chat model of Azure ML to continue one of the conversations.

    Args:
        lines: Conversations as JSON Lines.
        seed: Chooses the conversation.

    Raises:
        InputError: If there is no conversation, or the chosen one is malformed.
    """
    rows = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise InputError("The file of test conversations is empty: take a larger percentage of the data.")
    number, line = random.Random(whole(seed)).choice(rows)  # noqa: S311
    row = json.loads(line)
    turns: Any = row.get("messages") if isinstance(row, dict) else None
    if problem := problem_of(turns, learn=False):
        raise InputError(f"test_gen.jsonl, line {number}: {problem.text}.")
    messages = [{"role": message["role"], "content": message["content"]} for message in turns]
    while len(messages) > 1 and messages[-1]["role"] == "assistant":
        messages.pop()
    return {"input_data": {"input_string": [messages], "parameters": dict(GENERATION)}, "params": {}}


def prompt(body: Mapping[str, Any]) -> str:
    """Last message of the request's conversation."""
    return str(body["input_data"]["input_string"][0][-1]["content"])


def read(body: Mapping[str, Any], raw: str) -> dict[str, str]:
    """The prompt of a request and the answer in the raw response, as ``{"prompt": str, "answer": str}``.

    Raises:
        InputError: If the response is empty, is not JSON, or holds no text.
    """
    if not raw.strip():
        raise InputError("the response is empty")
    try:
        answer = text_of(json.loads(raw))
    except json.JSONDecodeError as error:
        raise InputError(f"the response is not JSON: {error}") from error
    if not answer:
        raise InputError("the response has no text in it")
    question, answer = masked(prompt(body)), masked(answer)
    log.info("Asked: %s\nAnswered: %s", cut(question, LINE), cut(answer, LINE))
    return {"prompt": question, "answer": answer}


# Serving images differ in the shape of their answer. "error" is left out: an error is no answer.
TEXT_KEYS: Final = (
    "output",
    "outputs",
    "predictions",
    "choices",
    "message",
    "content",
    "generated_text",
    "text",
    "0",
)


def text_of(value: Any) -> str:
    """The text in a response: a string, the first of a list, or the first of :data:`TEXT_KEYS`; else ``""``."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Sequence):
        return text_of(value[0]) if value else ""
    if isinstance(value, Mapping):
        for key in TEXT_KEYS:
            if key in value:
                return text_of(value[key])
    return ""
