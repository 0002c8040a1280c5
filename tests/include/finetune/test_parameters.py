"""Which training parameters win, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest

from include.finetune import form, parameters, recipe
from include.finetune.errors import InputError

INPUTS: dict[str, dict[str, Any]] = {
    "num_train_epochs": {"type": "integer", "min": "1", "default": "1", "optional": True},
    "learning_rate": {"type": "number", "default": "2e-05"},
    "lr_scheduler_type": {"type": "string", "enum": ["linear", "cosine"], "default": "linear"},
    "apply_lora": {"type": "string", "enum": ["true", "false"]},
    "precision": {"type": "string", "enum": ["32", "16"]},
    "deepspeed": {"type": "uri_file", "optional": True},
    "mlflow_model_path": {"type": "mlflow_model"},
    "max_seq_length": {"type": "integer"},
}


def resolve(user: dict[str, Any] | None = None, model: dict[str, Any] | None = None) -> parameters.Resolved:
    return parameters.resolve({"num_train_epochs": 3, "learning_rate": 5e-6}, model or {}, user or {}, INPUTS)


def test_the_user_wins_over_the_model_and_the_model_over_the_recipe() -> None:
    resolved = resolve(user={"num_train_epochs": 7}, model={"num_train_epochs": 1, "learning_rate": 1e-3})
    assert resolved.parameters == {"learning_rate": 1e-3, "num_train_epochs": 7}
    assert resolved.sources == {"learning_rate": "model", "num_train_epochs": "user"}


def test_what_the_user_leaves_empty_is_not_asked_for() -> None:
    assert resolve(user={"num_train_epochs": None}).sources["num_train_epochs"] == "recipe"


def test_a_parameter_that_the_component_lacks_is_refused_with_the_closest_names() -> None:
    with pytest.raises(InputError, match=r"'learningrate'.*did you mean 'learning_rate'"):
        resolve(user={"learningrate": 1})


def test_a_parameter_like_nothing_is_refused_with_all_names() -> None:
    with pytest.raises(InputError, match=r"'zzz'.*it has apply_lora, deepspeed"):
        resolve(user={"zzz": 1})


@pytest.mark.parametrize("name", ["mlflow_model_path", "compute_finetune"])
def test_a_parameter_that_the_dag_sets_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"'{name}' is set by the Dag itself"):
        resolve(user={name: "x"})


def test_a_parameter_that_takes_a_file_is_refused() -> None:
    with pytest.raises(InputError, match="'deepspeed' takes a file"):
        resolve(user={"deepspeed": "/tmp/x.json"})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "num_train_epochs",
            0,
            "'num_train_epochs' is 0, which is out of range: the component wants at least 1",
        ),
        ("num_train_epochs", 1.5, "1.5, which is no whole number"),
        ("learning_rate", "fast", "'fast', which is no number"),
        ("lr_scheduler_type", "cosin", "'cosin', which is not allowed: choose one of 'linear', 'cosine'"),
    ],
)
def test_a_value_that_the_component_does_not_take_is_refused(name: str, value: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        resolve(user={name: value})


def test_values_are_given_in_the_components_own_types() -> None:
    resolved = resolve(model={"precision": 16, "apply_lora": True}, user={"learning_rate": "1e-4"})
    assert resolved.parameters["precision"] == "16"
    assert resolved.parameters["apply_lora"] == "true"
    assert resolved.parameters["learning_rate"] == 1e-4


def test_the_models_bounds_hold_for_the_user() -> None:
    with pytest.raises(InputError, match="the model wants at least 5e-07 and at most 5e-05"):
        resolve(user={"learning_rate": 1.0}, model={"learning_rate_min": 5e-7, "learning_rate_max": 5e-5})


def test_a_models_default_that_the_component_lacks_is_passed_over_and_said_so() -> None:
    resolved = resolve(model={"new_trick": "true"})
    assert "new_trick" not in resolved.parameters
    assert any("new_trick" in line and "passed over" in line for line in resolved.lines())


def test_the_forms_free_parameters_win_over_its_fields() -> None:
    values = {"num_train_epochs": 2, "apply_lora": None, "finetune_parameters": {"num_train_epochs": 4}}
    assert form.user_parameters(values) == {"num_train_epochs": 4}


def test_the_form_explains_every_field() -> None:
    for name, param in form.params().items():
        schema = param.schema
        assert schema["title"], name
        assert len(param.description or "") > 10, name
        assert schema["section"], name
        param.resolve()


def test_the_recipe_is_that_of_the_walkthrough() -> None:
    assert recipe.DEFAULTS["num_train_epochs"] == 3
    assert recipe.DEFAULTS["learning_rate"] == 5e-6
    assert recipe.DEFAULTS["lr_scheduler_type"] == "cosine"
    assert recipe.DEFAULTS["deepspeed_stage"] == "2"
