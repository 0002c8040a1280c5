"""The one rule for a conversation, and that both worlds have the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.finetune.data.conversation import problem_of, short
from tests.support.azureml_service import ROOT


def test_the_check_and_the_job_have_the_same_rule() -> None:
    ours = ROOT / "include/finetune/data/conversation.py"
    theirs = ROOT / "include/azureml_local/worker/components/chat_completion/conversation.py"
    assert ours.read_bytes() == theirs.read_bytes()


def talk(roles: str) -> list[dict[str, str]]:
    names = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": names[role], "content": "text"} for role in roles]


@pytest.mark.parametrize("roles", ["ua", "sua", "uau", "uaua", "suaua"])
def test_a_conversation_alternates_after_at_most_one_system_turn(roles: str) -> None:
    assert problem_of(talk(roles)) is None


@pytest.mark.parametrize(
    ("roles", "kind"),
    [("a", "order of roles"), ("uu", "order of roles"), ("ss", "order of roles"), ("uas", "order of roles"),
     ("usa", "order of roles"), ("sa", "order of roles"), ("uaa", "order of roles"), ("s", "no user turn"),
     ("u", "no answer"), ("su", "no answer"), ("", "no messages")],
)  # fmt: skip
def test_any_other_order_is_refused(roles: str, kind: str) -> None:
    problem = problem_of(talk(roles))
    assert problem is not None
    assert problem.kind == kind


def test_what_is_only_asked_needs_no_answer() -> None:
    assert problem_of(talk("su"), learn=False) is None
    assert problem_of(talk("s"), learn=False) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(JSON)
def test_whatever_a_row_holds_has_a_short_answer(value: Any) -> None:
    problem = problem_of(value)
    assert problem is None or len(problem.text) < 400


def test_a_long_value_is_cut_before_it_is_written_out() -> None:
    assert len(short("x" * 10**8)) <= 120
    assert len(short([{"content": "x" * 1000}])) == 120
