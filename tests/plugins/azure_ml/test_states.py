"""The table of states."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_ml.errors import UnknownState
from azure_ml.states import STATES, Noun, Phase, is_active, is_success, phase

NOUNS = get_args(Noun)


@pytest.mark.parametrize("noun", NOUNS)
def test_only_one_state_of_each_noun_is_success(noun: Noun) -> None:
    assert STATES[noun][Phase.SUCCEEDED] == (("Completed",) if noun == "job" else ("Succeeded",))


@pytest.mark.parametrize("state", ["Canceled", "NotResponding", "Paused", "Failed"])
def test_a_job_that_will_not_complete_is_a_failure(state: str) -> None:
    assert phase("job", state) is Phase.FAILED


@pytest.mark.parametrize("state", ["CancelRequested", "Finalizing", "Queued", "running", "RUNNING"])
def test_a_job_on_its_way_is_active_however_it_is_spelt(state: str) -> None:
    assert is_active("job", state)
    assert not is_success("job", state)


@given(noun=st.sampled_from(NOUNS), state=st.one_of(st.none(), st.text(), st.just("Unknown")))
def test_a_state_that_the_table_lacks_is_an_error_that_quotes_it(noun: Noun, state: str | None) -> None:
    known = {name.lower() for names in STATES[noun].values() for name in names}
    if (state or "").lower() in known:
        return
    with pytest.raises(UnknownState) as caught:
        phase(noun, state, "x")
    assert repr(state) in str(caught.value)
