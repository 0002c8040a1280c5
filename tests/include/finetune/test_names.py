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


@given(dag=st.text(min_size=1), run=st.text(min_size=1))
def test_every_run_gives_names_that_azure_accepts(dag: str, run: str) -> None:
    assert re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{1,30}[a-zA-Z0-9]", names.endpoint_name(dag, run))
    assert re.fullmatch(r"[a-zA-Z0-9][\w-]{0,254}", names.job_name(dag, run))


def test_two_runs_have_different_names_and_one_run_always_the_same() -> None:
    assert names.endpoint_name("d", "r1") != names.endpoint_name("d", "r2")
    assert names.job_name("d", "r1") == names.job_name("d", "r1") != names.job_name("d", "r1", "another_task")
    assert len({names.job_name(*run) for run in (("d", "r1"), ("d", "r2"), ("e", "r1"))}) == 3
    assert len({names.endpoint_name(*run) for run in (("d", "r1"), ("d", "r2"), ("e", "r1"))}) == 3


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
