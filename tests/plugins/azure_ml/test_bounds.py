"""No text from outside is kept whole, whatever its length and whichever way it takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.bounds import ERROR, ITEMS, NAME, TEXT, bounded, cut, last_lines
from azure_ml.hook import AzureMLHook
from azure_ml.hook._translate import translated
from azure_ml.operators.deployments import LAST_LINES
from azure_ml.triggers.event import Event
from include.finetune.errors import HubUnreachableError, InputError
from include.finetune.review import review
from tests.support.azureml_service import AzureMLLocal

LONG = "x" * 50_000_000
ALL = [getattr(errors, name) for name in errors.__all__ if name not in ("Cause", "Killed")]


@pytest.mark.parametrize("kind", [*ALL, InputError, HubUnreachableError], ids=lambda kind: kind.__name__)
def test_no_error_is_longer_than_an_error_may_be(kind: type[Exception]) -> None:
    assert len(str(kind(LONG))) < ERROR + 60
    assert str(kind("as it is")) == "as it is"


def test_a_failure_of_the_sdk_is_kept_neither_as_the_error_nor_as_its_cause() -> None:
    def fails() -> None:
        with translated("read"):
            raise RuntimeError(LONG)

    with pytest.raises(errors.ServiceFailure) as caught:
        fails()
    assert len(str(caught.value)) < ERROR
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_message_of_the_service_is_cut_in_the_error(azureml_local: AzureMLLocal, hook: AzureMLHook) -> None:
    fault = {
        "kind": "status",
        "path": "*/jobs/long",
        "status": 400,
        "code": "No",
        "message": LONG[:3_000_000],
    }
    with azureml_local.faults(fault), pytest.raises(errors.BadInput) as caught:
        hook.jobs.get("long")
    assert len(str(caught.value)) < 2000


def test_last_lines_fit_into_an_error_together() -> None:
    for count in (1, 15, LAST_LINES):
        assert sum(map(len, last_lines([LONG] * 100, count))) < ERROR


def test_a_result_is_cut_at_every_level_and_stays_what_it_is_below_the_bound() -> None:
    result = bounded(
        {"answer": LONG, "runs": {"a" * 1000: [LONG] * 3}, "many": list(range(10**5)), "loss": 0.5}
    )
    assert len(json.dumps(result)) < 10 * TEXT
    assert len(result["many"]) == ITEMS
    assert max(map(len, result["runs"])) < NAME + 60
    small = {"answer": "yes", "runs": {"a": {"loss": 1.0}}, "none": None}
    assert bounded(small) == small


def test_what_is_cut_says_how_much() -> None:
    assert cut("abcdef", 4) == "abcd… (2 more characters)"


def test_an_event_of_a_trigger_holds_no_more_than_an_error() -> None:
    event = Event("error", "x", error=str(errors.ServiceFailure(LONG)), kind="ServiceFailure")
    assert len(json.dumps(event.to_json())) < ERROR + 1000


@pytest.mark.parametrize("make", [lambda: {f"run{n}": {"loss": 1.0} for n in range(5000)}])
def test_metrics_of_many_runs_are_a_result_of_bounded_size(make: Callable[[], Any]) -> None:
    assert len(bounded(review(make()))["runs"]) == ITEMS
