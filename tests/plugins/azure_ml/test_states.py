"""The table of states."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_ml.errors import UnknownState
from azure_ml.states import STATES, Noun, Phase, is_active, is_success, may_be_canceled, phase

NOUNS = get_args(Noun)
CONTRACT = Path(__file__).parents[4] / "shared" / "azureml" / "swagger"
ENUMS: dict[Noun, str] = {
    "job": "JobStatus",
    "endpoint": "EndpointProvisioningState",
    "deployment": "DeploymentProvisioningState",
    "compute": "ProvisioningState",
}


def published(name: str) -> set[str]:
    """The values of an enumeration in every published version of the contract."""
    found: set[str] = set()
    for file in CONTRACT.glob("**/*.json"):
        if "examples" not in file.parts:
            found |= set(json.loads(file.read_text()).get("definitions", {}).get(name, {}).get("enum", []))
    return found


@pytest.mark.skipif(not CONTRACT.is_dir(), reason="the published contract is not beside this project")
@pytest.mark.parametrize(("noun", "name"), list(ENUMS.items()))
def test_every_state_of_the_published_contract_is_in_the_table_and_one_is_success(
    noun: Noun, name: str
) -> None:
    states = published(name) - {"Unknown"}
    assert states
    assert {state for state in states if is_success(noun, state)} == {
        "Completed" if noun == "job" else "Succeeded"
    }


@given(state=st.text())
def test_only_what_can_never_cost_again_need_not_be_canceled(state: str) -> None:
    assert may_be_canceled(state) == (state.lower() not in ("completed", "failed", "canceled"))


@pytest.mark.parametrize("state", ["NotResponding", "Paused", "CancelRequested", "Unknown", None])
def test_a_job_that_only_stands_still_can_be_canceled(state: str | None) -> None:
    assert may_be_canceled(state)


@pytest.mark.parametrize("noun", NOUNS)
def test_only_one_state_of_each_noun_is_success(noun: Noun) -> None:
    goal = ("Completed",) if noun == "job" else ("Succeeded",)
    assert STATES[noun][Phase.SUCCEEDED] == goal
    assert (
        tuple(state for states in STATES[noun].values() for state in states if is_success(noun, state))
        == goal
    )


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
