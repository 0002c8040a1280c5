"""Names of what a run makes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.finetune import names


def test_the_display_name_tells_what_matters_about_the_training() -> None:
    parameters = {
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "num_nodes_finetune": 2,
        "lr_scheduler_type": "cosine",
        "apply_deepspeed": "true",
        "deepspeed_stage": "2",
        "apply_lora": "true",
        "save_total_limit": 1,
        "max_seq_length": 2048,
    }
    expected = "Phi-3-mini-4k-instruct-ultrachat-bs32-cosine-ds2-lora-save_limit1-seqlen2048"
    assert names.display_name("Phi-3-mini-4k-instruct", parameters, gpus_per_node=2) == expected


def test_what_is_not_set_has_the_components_default_in_the_display_name() -> None:
    expected = "microsoft-phi-ultrachat-bs1-linear-nods-nolora-save_limit-1-seqlen-1"
    assert names.display_name("microsoft/phi", {}, gpus_per_node=1) == expected


@given(dag=st.text(min_size=1), run=st.text(min_size=1), project=st.text(min_size=1))
def test_every_run_gives_names_that_azure_accepts(dag: str, run: str, project: str) -> None:
    assert re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{1,30}[a-zA-Z0-9]", names.endpoint_name(dag, run, project))
    assert re.fullmatch(r"[a-zA-Z0-9][\w-]{0,254}", names.job_name(dag, run, project))


def test_two_runs_have_different_names_and_one_run_always_the_same() -> None:
    assert names.endpoint_name("d", "r1", "p") != names.endpoint_name("d", "r2", "p")
    once, again = names.job_name("d", "r1", "p"), names.job_name("d", "r1", "p")
    assert once == again != names.job_name("d", "r1", "p", "another_task")
    runs = (("d", "r1", "p"), ("d", "r2", "p"), ("e", "r1", "p"))
    assert len({names.job_name(*run) for run in runs}) == 3
    assert len({names.endpoint_name(*run) for run in runs}) == 3


@given(parts=st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=2, max_size=2, unique=True))
def test_two_projects_with_equal_runs_share_no_name(parts: list[tuple[str, str, str]]) -> None:
    one, other = parts
    assert names.endpoint_name(*one) != names.endpoint_name(*other)
    assert names.job_name(*one) != names.job_name(*other)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (names.experiment_name, "chat_completion_org-model_1"),
        (names.registered_model_name, "org-model_1-ultrachat-200k"),
        (names.data_asset_name, "org-model-1"),
    ],
)
def test_a_slash_in_a_name_becomes_a_dash(function: object, expected: str) -> None:
    assert callable(function)
    assert function("org/model_1") == expected
