"""Whatever is typed into the form: either one sentence before anything is paid for, or no later task stumbles."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_ml.errors import BadInput
from azure_ml.hook.jobs.budgets import Budgets
from azure_ml.names import require_name
from azure_ml.operators.jobs.wait import MARGIN
from azure_ml.operators.rendered import deferred, whole
from azure_ml.triggers.event import deadline_in, spelled
from include.finetune import checks, fields, form, names, parameters, recipe, scoring
from include.finetune.data.choice import percent
from include.finetune.errors import InputError

PARAMS = form.params()
DEFAULTS: dict[str, Any] = {name: param.value for name, param in PARAMS.items()}
INPUTS: dict[str, dict[str, Any]] = {
    "num_train_epochs": {"type": "integer"},
    "per_device_train_batch_size": {"type": "integer"},
    "per_device_eval_batch_size": {"type": "integer"},
    "gradient_accumulation_steps": {"type": "integer"},
    "learning_rate": {"type": "number"},
    "lr_scheduler_type": {"type": "string", "enum": list(fields.SCHEDULERS)},
    "apply_lora": {"type": "string", "enum": ["true", "false"]},
    "apply_deepspeed": {"type": "string", "enum": ["true", "false"]},
    "deepspeed_stage": {"type": "string"},
    "packing": {"type": "boolean"},
    "report": {"type": "string"},
}
EXTREMES = [
    *(0, 1, -1, 2**31, 2**53 + 1, 10**400, -(10**400), 1.0, 0.5, 1e308, -1e308, 5e-324, 1e-300),
    *(float("nan"), float("inf"), float("-inf"), True, False, None),
    *(
        "",
        " ",
        "\n",
        "x\n",
        "1\n",
        "a/b\n",
        "nan",
        "1e308",
        "..",
        "-",
        "A" * 300,
        "9" * 5000,
        "é",
        "\x00",
        "{{ x }}",
    ),
    *([], {}, ["x"], {"x": "y"}),
]
LINE = json.dumps(
    {"messages": [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "It."}]}
)


def typed(name: str) -> st.SearchStrategy[Any]:
    """What somebody may type into a field: its default, or what nobody expects."""
    usual = st.just(DEFAULTS[name]) | st.sampled_from(EXTREMES)
    if name == "finetune_parameters":
        anything = st.sampled_from(EXTREMES) | st.integers() | st.floats() | st.text(max_size=5)
        return usual | st.dictionaries(st.sampled_from([*INPUTS, "unknown"]), anything, max_size=3)
    return usual | st.integers() | st.floats() | st.text(max_size=40)


# Most fields as they are, so that what gets past one check meets the next one.
FORMS = st.sets(st.sampled_from(sorted(DEFAULTS)), min_size=1, max_size=3).flatmap(
    lambda chosen: st.fixed_dictionaries({name: typed(name) for name in sorted(chosen)})
)


def checked(values: dict[str, Any]) -> dict[str, Any] | None:
    """The job's parameters, as the checking tasks of the Dag find them; ``None`` if one of them refuses."""
    try:
        for name, param in PARAMS.items():
            param.resolve(values[name])
    except ParamValidationError:
        return None
    try:
        checks.require_form(values)
        percent("split_pc", values["split_pc"])
        require_name("registry model", values["model_name"])
        return parameters.resolve(recipe.DEFAULTS, {}, form.user_parameters(values), INPUTS).parameters
    except (InputError, BadInput):
        return None


def later_tasks(values: dict[str, Any], resolved: dict[str, Any]) -> None:
    """What the tasks do with the values that cost money, or that come after one that does."""
    require_name("compute", str(values["compute_cluster"]))
    assert 0 <= whole(str(values["compute_min_instances"])) <= whole(str(values["compute_max_instances"]))
    require_name("experiment", str(values["experiment_name"] or names.experiment_name(values["model_name"])))
    require_name("asset", names.registered_model_name(values["model_name"]))
    require_name("asset", f"{names.data_asset_name(values['dataset'])}-test-gen".replace("_", "-"))
    assert len(names.display_name(values["model_name"], resolved, 8)) < 600
    json.dumps(resolved, allow_nan=False)
    budgets = Budgets.of(str(values["queue_hours"]), str(values["run_hours"]))
    for budget in (budgets.queue, budgets.run):
        assert datetime.now(UTC) + timedelta(seconds=budget.total_seconds()) + MARGIN
        assert spelled(deadline_in(budget.total_seconds()))
    assert deferred(values["deferrable"]) in (True, False)
    assert scoring.request([LINE], str(values["seed"]))


@settings(max_examples=400, deadline=None)
@given(changed=FORMS)
def test_whatever_is_typed_is_refused_in_one_sentence_or_usable_to_the_end(changed: dict[str, Any]) -> None:
    values = {**DEFAULTS, **changed}
    resolved = checked(values)
    if resolved is not None:
        later_tasks(values, resolved)


def test_the_form_as_it_stands_passes() -> None:
    resolved = checked(DEFAULTS)
    assert resolved is not None
    later_tasks(DEFAULTS, resolved)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run_hours", 1e308),
        ("run_hours", 1e-300),
        ("queue_hours", float("nan")),
        ("queue_hours", 1e7),
        ("seed", 10**400),
        ("seed", 0.5),
        ("compute_cluster", "gpu-cluster\n"),
        ("compute_cluster", "gpu-cluster-"),
        ("compute_min_instances", 2),
        ("compute_max_instances", 10**9),
        ("experiment_name", "x\n"),
        ("experiment_name", "x" * 300),
        ("model_name", "x" * 250),
        ("instance_type", "Standard_NC6s_v3\n"),
        ("deferrable", "perhaps"),
        ("finetune_parameters", {"report": "x\ny"}),
        ("finetune_parameters", {"report": ["x"] * 1000}),
    ],
)
def test_a_value_that_a_later_task_could_not_use_is_refused_with_its_field(field: str, value: Any) -> None:
    with pytest.raises(InputError, match=field):
        checks.require_form({**DEFAULTS, field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "a/b\n"),
        ("model_name", "m\n"),
        ("model_version", "1\n"),
        ("compute_cluster", "abc\n"),
        ("compute_vm_size", "A\n"),
        ("instance_type", "A\n"),
        ("experiment_name", "x\n"),
    ],
)
def test_the_form_takes_no_new_line_at_the_end(field: str, value: str) -> None:
    with pytest.raises(ParamValidationError, match="does not match"):
        form.params()[field].resolve(value)
