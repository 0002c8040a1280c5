"""How a row becomes messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.finetune.data.mapping import ROLES, MessageMapping, detect, parse
from include.finetune.errors import InputError

MESSAGE = [{"role": "user", "content": "a"}]


@pytest.mark.parametrize(
    ("shape", "mapping"),
    [
        ({"messages": {"role", "content"}, "id": set()}, MessageMapping()),
        ({"messages": {"from", "value", "weight"}}, MessageMapping("messages", "from", "value", ROLES)),
        ({"conversations": {"from", "value"}}, MessageMapping("conversations", "from", "value", ROLES)),
        ({"dialog": {"role", "content"}}, MessageMapping("dialog", "role", "content", ROLES)),
        ({"messages": set(), "id": set()}, MessageMapping()),
    ],
)
def test_known_forms_are_detected(shape: dict[str, set[str]], mapping: MessageMapping) -> None:
    assert detect({name: frozenset(inner) for name, inner in shape.items()}, "here") == mapping


def test_an_unknown_form_is_described() -> None:
    with pytest.raises(InputError, match=r"here has no column 'messages' but id, log \(log of said, who\)"):
        detect({"log": frozenset({"who", "said"}), "id": frozenset()}, "here")


def test_a_mapping_in_an_error_can_be_typed_into_the_form() -> None:
    mapping = MessageMapping("log", "who", "said", {"me": "user"})
    assert json.loads(str(mapping)) == {
        "messages": "log",
        "role": "who",
        "content": "said",
        "roles": {"me": "user"},
    }
    assert parse(str(mapping)).messages == "log"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a", "a"),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab"),
        ([{"text": "a"}, "b"], "ab"),
        ([{"type": "text", "text": "a", "image_url": None}], "a"),
        ([], []),
        (None, None),
    ],
)
def test_the_content_of_a_turn(content: Any, text: Any) -> None:
    ((turn,), joined) = MessageMapping().apply({"messages": [{"role": "user", "content": content}]})
    assert turn == {"role": "user", "content": text}
    assert joined == (content != text)


def test_an_image_is_not_passed_over_in_silence() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}]
    ((turn,), joined) = MessageMapping().apply({"messages": [{"role": "user", "content": parts}]})
    assert (turn["content"], joined) == (parts, False)


def test_an_empty_system_column_is_no_turn() -> None:
    mapping = MessageMapping(prompt="q", response="a", system="s")
    assert [turn["role"] for turn in mapping.apply({"q": "1", "a": "2", "s": ""})[0]] == ["user", "assistant"]
    assert mapping.columns == ["q", "a", "s"]


def test_a_call_of_a_tool_stays_to_be_refused() -> None:
    turn = {"role": "assistant", "content": "x", "tool_calls": [{"name": "f"}]}
    assert MessageMapping().apply({"messages": [turn]})[0][0]["tool_calls"] == [{"name": "f"}]
