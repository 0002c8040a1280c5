"""How a row becomes messages: columns of other names, the form of ShareGPT, pairs of prompt and response."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from include.finetune.data.conversation import short
from include.finetune.errors import InputError

# The columns of a split, each with the names of the fields that its list's elements have.
Shape = Mapping[str, frozenset[str]]

ROLES: Final = {
    "human": "user", "user": "user",
    "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "system": "system",
}  # fmt: skip
LISTS: Final = ("messages", "conversations", "conversation", "dialogue", "dialog", "chat")
FIELDS: Final = (
    ("role", "content"),
    ("from", "value"),
    ("role", "value"),
    ("from", "content"),
    ("role", "text"),
)
PAIRS: Final = (
    ("instruction", "output"), ("instruction", "response"), ("prompt", "response"), ("prompt", "completion"),
    ("prompt", "chosen"), ("question", "answer"), ("query", "response"), ("input", "output"),
)  # fmt: skip


@dataclass(frozen=True)
class MessageMapping:
    """Where a row keeps its conversation."""

    # Column with the list of turns.
    messages: str = "messages"
    # Field of a turn that says who speaks.
    role: str = "role"
    # Field of a turn that holds the text.
    content: str = "content"
    # What the data calls a role, and what it is: ``system``, ``user`` or ``assistant``.
    roles: Mapping[str, str] = field(default_factory=dict)
    # Column with the question, in place of ``messages``.
    prompt: str | None = None
    # Column with its answer.
    response: str | None = None
    # Column with the instructions to the model, if there is one.
    system: str | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that it reads."""
        turns = [self.prompt, self.response] if self.prompt else [self.messages]
        return [name for name in (*turns, self.system) if name]

    @property
    def plain(self) -> bool:
        """Whether a row is taken as it is."""
        return self == MessageMapping()

    def __str__(self) -> str:
        """The mapping as one would type it into the form."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        names = ("prompt", "response") if self.prompt else ("messages", "role", "content", "roles")
        return json.dumps({name: given[name] for name in (*names, "system") if given[name]})

    def apply(self, row: Mapping[str, Any]) -> tuple[Any, bool]:
        """The messages of a row, and whether text was joined from parts; what is no conversation stays as it is."""
        turns = self._pair(row) if self.prompt else row.get(self.messages)
        if not isinstance(turns, list):
            return turns, False
        made = [self._turn(turn) for turn in turns]
        if self.system and not self.prompt and row.get(self.system):
            made.insert(0, ({"role": "system", "content": row[self.system]}, False))
        return [turn for turn, _ in made], any(joined for _, joined in made)

    def _pair(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        sides = (("system", self.system), ("user", self.prompt), ("assistant", self.response))
        turns = [{self.role: role, self.content: row.get(name)} for role, name in sides if name]
        return turns[1:] if self.system and not row.get(self.system) else turns

    def _turn(self, turn: Any) -> tuple[Any, bool]:
        if not isinstance(turn, Mapping):
            return turn, False
        role, content = turn.get(self.role), turn.get(self.content)
        text = _joined(content)
        made = {
            "role": self.roles.get(role, role) if isinstance(role, str) else role,
            "content": content if text is None else text,
        }
        if turn.get("tool_calls"):
            made["tool_calls"] = turn["tool_calls"]
        return made, text is not None


def _joined(content: Any) -> str | None:
    """The text of a list of text parts; ``None`` if it is none."""
    if not isinstance(content, list) or not content:
        return None
    texts: list[Any] = [
        part.get("text") if isinstance(part, Mapping) and part.get("type", "text") == "text" else part
        for part in content
    ]
    return "".join(texts) if all(isinstance(text, str) for text in texts) else None


def parse(given: Any) -> MessageMapping:
    """A user's mapping, checked; raises InputError: naming what it may hold."""
    names = [one.name for one in fields(MessageMapping)]
    try:
        value = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        value = None
    if not isinstance(value, Mapping) or set(value) - set(names):
        raise InputError(
            f"mapping is {short(given)}: give an object with names out of {', '.join(names)}, "
            'for example {"messages": "conversations", "role": "from", "content": "value"}.'
        )
    roles = value.get("roles", {})
    if not isinstance(roles, Mapping) or not set(roles.values()) <= {"system", "user", "assistant"}:
        raise InputError(
            f"roles of the mapping is {short(roles)}: give an object whose values are system, user or assistant."
        )
    if not all(isinstance(value[name], str) and value[name] for name in value if name != "roles"):
        raise InputError(f"mapping is {short(given)}: the names of columns and fields are texts.")
    if ("prompt" in value) != ("response" in value):
        raise InputError(f"mapping is {short(given)}: give prompt and response, or messages.")
    return MessageMapping(**{**value, "roles": {**ROLES, **roles}})


def detect(shape: Shape, where: str) -> MessageMapping:
    """The mapping of rows of that shape.

    Raises:
        InputError: naming the columns there are, with a mapping that may fit.
    """
    for column in LISTS:
        for role, content in FIELDS:
            if {role, content} <= shape.get(column, frozenset()):
                plain = (column, role, content) == ("messages", "role", "content")
                return MessageMapping(column, role, content, {} if plain else ROLES)
    if "messages" in shape and not shape["messages"]:
        return MessageMapping()  # empty or no list: the rule says so, with file and line
    for prompt, response in PAIRS:
        # With a third column of text, the pair would leave out a part of the question.
        if {prompt, response} <= set(shape) and ("input" not in shape or prompt == "input"):
            like = MessageMapping(prompt=prompt, response=response)
            raise InputError(
                f"{where} has no column 'messages' but {_listed(shape)}: if they are what they are called, "
                f"set mapping to {like}."
            )
    fields_seen = "; ".join(f"{name} of {_listed(inner)}" for name, inner in shape.items() if inner)
    raise InputError(
        f"{where} has no column 'messages' but {_listed(shape)}{f' ({fields_seen})' if fields_seen else ''}: "
        'choose a data set of conversations, or say in mapping where they are, for example {"messages": '
        '"conversations", "role": "from", "content": "value"}.'
    )


def require_columns(mapping: MessageMapping, shape: Shape, where: str) -> None:
    """Refuse a mapping that names what is not there; raises InputError: naming the columns there are."""
    if missing := [name for name in mapping.columns if name not in shape]:
        raise InputError(
            f"{where} has no column {missing[0]!r}, which mapping names: it has {_listed(shape)}."
        )


def _listed(names: Iterable[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:20]) + (" ..." if len(shown) > 20 else "") or "none"
