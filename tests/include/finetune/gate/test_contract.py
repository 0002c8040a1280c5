"""The smoke test as a contract."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.finetune import scoring
from include.finetune.errors import InputError
from include.finetune.gate.contract import Contract, Reply, Report, choose, examine, percentile

LINES = [
    json.dumps({"messages": [{"role": "user", "content": f"question {number}"}]}) for number in range(20)
]


@pytest.mark.parametrize("seed", [0, 7, "42"])
def test_the_first_question_of_many_is_the_one_that_is_asked_alone(seed: int | str) -> None:
    alone = scoring.prompt(scoring.request(LINES, seed))
    assert scoring.prompt(scoring.request(choose(LINES, 5, seed)[:1])) == alone
    assert choose(LINES, 1, seed) == choose(LINES, 5, seed)[:1]


def test_the_questions_differ_from_one_another_and_repeat_themselves_by_seed() -> None:
    assert len(set(choose([*LINES, " "], 20))) == 20
    assert choose(LINES, 5, 1) == choose(LINES, 5, 1) != choose(LINES, 5, 2)


@pytest.mark.parametrize("number", [0, 21])
def test_more_questions_than_there_are_is_an_error(number: int) -> None:
    with pytest.raises(InputError, match=f"to ask {number} questions, and there are 20 test conversations"):
        choose(LINES, number)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_and_has_its_share_below_it(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values)


def test_good_answers_keep_the_contract_and_cold_starts_are_counted() -> None:
    replies = [
        Reply("How are you?", "I am fine.", seconds / 10, cold_starts=seconds == 1)
        for seconds in range(1, 21)
    ]
    report = examine(replies, Contract(latency_p50=1.0, latency_p95=1.9))
    assert report == Report(20, 1, 1.0, 1.9, ())
    assert report.kept
    assert Report.from_json(report.to_json()) == report


def test_a_slow_endpoint_breaks_the_contract_in_figures() -> None:
    report = examine([Reply("Hi", "Hello!", 3.0)] * 3, Contract(latency_p50=2.0, latency_p95=2.5))
    assert report.broken == (
        "The median of the latency is 3.00 s, and 2 s is the most allowed.",
        "The 95th percentile of the latency is 3.00 s, and 2.5 s is the most allowed.",
    )


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (Reply("Hi", None, 0.1), "Question 2 has no answer: the response has no text in it."),
        (Reply("Hi", None, 0.1, error="it is not JSON"), "Question 2 has no answer: it is not JSON."),
        (Reply("Hi", " \n", 0.1), "Answer 2 is empty."),
        (Reply("What is the capital?", "What is the capital?", 0.1), "Answer 2 repeats the question."),
        (Reply("Hi", "and so on, " * 30, 0.1), "Answer 2 repeats itself without end."),
    ],
)
def test_each_bad_answer_is_named_by_its_number(reply: Reply, sentence: str) -> None:
    report = examine([Reply("Hi", "Hello!", 0.1), reply], Contract())
    assert report.broken == (sentence,)
    assert not report.kept
    assert Report.from_json(report.to_json()) == report


def test_no_question_at_all_is_an_error() -> None:
    with pytest.raises(InputError, match="asked nothing"):
        examine([], Contract())
