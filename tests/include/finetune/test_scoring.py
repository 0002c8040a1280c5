"""The question of the smoke test, and what counts as an answer."""

from __future__ import annotations

import json

import pytest

from include.finetune import scoring
from include.finetune.errors import InputError

LINES = [
    json.dumps({"messages": [{"role": "user", "content": f"question {number}"}]}) for number in range(20)
]


def test_the_request_is_the_one_that_azure_mls_chat_models_take() -> None:
    body = scoring.request(LINES, seed=1)
    assert list(body) == ["input_data", "params"]
    conversation = body["input_data"]["input_string"][0]
    assert conversation[-1]["role"] == "user"
    assert body["input_data"]["parameters"] == {
        "temperature": 0.6,
        "top_p": 0.9,
        "do_sample": True,
        "max_new_tokens": 200,
    }


def test_the_same_seed_asks_the_same_question_and_another_one_another() -> None:
    assert scoring.request(LINES, 7) == scoring.request(LINES, "7")
    assert len({scoring.prompt(scoring.request(LINES, seed)) for seed in range(10)}) > 1


def test_an_answer_that_is_there_already_is_not_part_of_the_question() -> None:
    messages = [{"role": "user", "content": "hello?"}, {"role": "assistant", "content": "hi"}]
    assert scoring.prompt(scoring.request([json.dumps({"messages": messages})])) == "hello?"


def test_an_empty_file_of_questions_is_refused() -> None:
    with pytest.raises(InputError, match="is empty: take a larger percentage"):
        scoring.request(["", " "])


def test_a_malformed_question_is_named_by_file_and_line() -> None:
    with pytest.raises(InputError, match=r"test_gen\.jsonl, line 1"):
        scoring.request([json.dumps({"messages": []})])


@pytest.mark.parametrize(
    "raw",
    [
        '"Paris."',
        '["Paris."]',
        '{"output": "Paris."}',
        '[{"0": " Paris. "}]',
        '{"predictions": ["Paris."]}',
        '{"choices": [{"message": {"role": "assistant", "content": "Paris."}}]}',
    ],
)
def test_the_text_is_found_in_every_form_in_which_servers_answer(raw: str) -> None:
    body = scoring.request(LINES)
    assert scoring.read(body, raw) == {"prompt": scoring.prompt(body), "answer": "Paris."}


@pytest.mark.parametrize(
    "raw", ["", "  ", "oops", "[]", "{}", '{"output": ""}', '{"error": "out of memory"}', "5"]
)
def test_what_is_no_answer_is_refused(raw: str) -> None:
    with pytest.raises(InputError):
        scoring.read(scoring.request(LINES), raw)
