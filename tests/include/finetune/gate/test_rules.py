"""What may be asked of a challenger."""

from __future__ import annotations

import math
from typing import Any

import pytest

from include.finetune.errors import InputError
from include.finetune.gate.rules import Rules


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"min_improvement": -0.1}, "min_improvement is -0.1: take a number of nats from 0 up"),
        ({"min_improvement": math.nan}, "min_improvement is nan"),
        ({"rate": 0.5}, "rate is 0.5: take a share of errors"),
        ({"rate": 0.0}, "rate is 0.0"),
        ({"min_rows": 5}, "below 30 the rate of errors does not hold"),
        ({"spare_answers": -1}, "spare_answers is -1"),
        ({"worsening": {"empty": math.inf}}, "The limit of empty is inf"),
        ({"highest": {"loss": math.nan}}, "The limit of loss is nan"),
        ({"rate": "0.05"}, "A rule of the gate has a value of another type"),
        ({"highest": 3}, "A rule of the gate has a value of another type"),
        ({"minimum": 1}, "The gate has no rule 'minimum': it has min_improvement, rate"),
    ],
)
def test_a_rule_out_of_its_range_is_an_error_that_says_the_range(
    values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        Rules.from_dict(values)


def test_rules_come_from_a_parameter_of_the_run() -> None:
    rules = Rules.from_dict({"min_improvement": 0.02, "highest": {"loss": 2.0}})
    assert (rules.min_improvement, rules.highest, rules.rate) == (0.02, {"loss": 2.0}, 0.05)
