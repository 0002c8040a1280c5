"""Durations in ARM's form."""

from __future__ import annotations

import pytest

from azureml_local.arm.durations import seconds
from azureml_local.arm.grammar import ArmError


@pytest.mark.parametrize(
    ("text", "length"), [("PT1M30S", 90), ("PT0.5S", 0.5), ("PT10M", 600), ("P1DT1H", 90000)]
)
def test_a_duration_is_read_in_seconds(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "P", "90", "PT", "1M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ArmError, match="no ISO 8601 duration"):
        seconds(text)
