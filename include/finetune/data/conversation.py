"""The one rule for a conversation, in two equal copies: the check before the job and the job itself apply it.

It needs the standard library only: the job runs in an environment of its own and imports nothing of the check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ROLES = ("system", "user", "assistant")
TOOL_ROLES = ("tool", "function", "observation", "function_call")


@dataclass(frozen=True)
class Problem:
    """Why a row is no conversation: ``kind`` in few words to count by, ``text`` as a sentence."""

    kind: str
    text: str


def problem_of(messages: object, *, learn: bool = True) -> Problem | None:
    """What is wrong with the messages of a row, ``None`` if nothing is.

    An optional system turn comes first; then user and assistant alternate, the user first; each says something.

    Args:
        messages: list of ``{"role": str, "content": str}``.
        learn: the row is trained on, so it needs an answer of the assistant; a user turn alone can only be asked.
    """
    if not isinstance(messages, list) or not messages:
        return Problem(
            "no messages", f"'messages' is {short(messages)}, not a list of messages with role and content"
        )
    for number, message in enumerate(messages, 1):
        if wrong := _of_message(number, message):
            return wrong
    return _of_order([message["role"] for message in messages], learn)


def _of_message(number: int, message: Any) -> Problem | None:
    role, content = (
        (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
    )
    this = f"message {number} is {short(message)}"
    if role in TOOL_ROLES or (isinstance(message, dict) and message.get("tool_calls")):
        return Problem("turn of a tool", f"{this}, a turn of a tool, which the training does not know")
    if role not in ROLES:
        return Problem(
            "unknown role",
            f"{this}, but it must have a role out of {', '.join(ROLES)} and a text as content",
        )
    if not isinstance(content, str):
        return Problem("content is no text", f"{this}, but it must have a text as content")
    if not content.strip():
        return Problem("empty content", f"{this}, but it must have a text as content that is not empty")
    if any("\ud800" <= character <= "\udfff" for character in content):
        return Problem("broken character", f"{this}, which holds half of a character (a lone surrogate)")
    return None


def _of_order(roles: list[str], learn: bool) -> Problem | None:
    first = 2 if roles[0] == "system" else 1
    turns = roles[first - 1 :]
    for number, role in enumerate(turns):
        due = ("user", "assistant")[number % 2]
        if role != due:
            return Problem(
                "order of roles",
                f"message {number + first} has role {role!r} where {due!r} is due: user and assistant alternate, "
                "the user first, after at most one system turn",
            )
    if not turns:
        return Problem("no user turn", "no message of role 'user', so there is nothing to ask")
    if learn and "assistant" not in turns:
        return Problem(
            "no answer", "no message of role 'assistant', so there is nothing to learn from this row"
        )
    return None


def short(value: object, length: int = 120) -> str:
    """A value as Python writes it, cut off after ``length`` characters."""
    if isinstance(value, str):  # the repr of a text of megabytes is as long
        value = value[: length + 1]
    text = repr(value)
    return text if len(text) <= length else text[: length - 1] + "…"
