"""Two models' rows side by side."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from include.finetune.errors import InputError
from include.finetune.gate.rows import Row, pair
from tests.include.finetune.gate.rows import model


def test_rows_of_different_conversations_are_an_error_that_names_one() -> None:
    with pytest.raises(
        InputError, match="different conversations: 1 belong to one of them only, such as 'row-2'"
    ):
        pair(model([1, 2]), model([1, 2, 3]))


def test_the_same_row_twice_is_an_error() -> None:
    with pytest.raises(InputError, match="'row-0' stands twice in the challenger's rows"):
        pair(model([1]), model([1]) * 2)


def test_no_rows_are_an_error() -> None:
    with pytest.raises(InputError, match="No conversation was evaluated"):
        pair([], [])


def test_another_number_of_tokens_means_another_tokenizer() -> None:
    with pytest.raises(InputError, match="has 50 tokens for the base and 51 for the challenger"):
        pair(model([1], 50), model([1], 51), against="base")


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_champion_whose_loss_is_not_finite_is_an_error(loss: float) -> None:
    with pytest.raises(InputError, match=f"The champion's loss on conversation 'row-0' is {loss}"):
        pair(model([loss]), model([1]))


@pytest.mark.parametrize(("tokens", "loss"), [(0, 1.0), (5, -1.0), (5, -math.inf)])
def test_a_row_without_tokens_or_with_a_negative_loss_is_an_error(tokens: int, loss: float) -> None:
    with pytest.raises(InputError, match="leave out conversations without an assistant's turn"):
        pair(model([loss], tokens), model([loss], tokens))


def test_answers_that_were_checked_for_one_model_only_are_an_error() -> None:
    checked = model([1])
    with pytest.raises(InputError, match="check both alike"):
        pair(checked, [replace(checked[0], truths={})])


def test_a_row_is_read_from_a_line_of_the_evaluation() -> None:
    line = {"row": 7, "tokens": 12, "nll": 3, "truths": {"empty": 0}, "answer": "Yes.", "seconds": 0.2}
    assert Row.from_dict(line) == Row("7", 12, 3.0, {"empty": False})


def test_a_loss_of_null_is_one_that_is_not_finite() -> None:
    assert math.isnan(Row.from_dict({"row": "a", "tokens": 3, "nll": None}).nll)


def test_rows_of_equal_length_weigh_as_many_as_they_are_and_one_long_row_outweighs_the_others() -> None:
    assert pair(model([1] * 9), model([1] * 9)).effective_rows == pytest.approx(9)
    uneven = model([1] * 9, [10_000] + [1] * 8)
    assert pair(uneven, uneven).effective_rows == pytest.approx(1, abs=0.01)
