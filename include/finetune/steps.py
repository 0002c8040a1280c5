"""The Dag's steps that are functions of this project; all others are operators of :mod:`azure_ml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import XComArg, get_current_context, task
from airflow.sdk.definitions.xcom_arg import PlainXComArg
from airflow.sdk.exceptions import AirflowFailException

from azure_ml.hook import AzureMLHook
from azure_ml.operators.results import require_result
from include.finetune import checks, form, parameters, recipe
from include.finetune.data import checking


def returned(step: XComArg, key: str) -> Any:
    """One entry of what a step here returns, as an argument of another task; sets the edge."""
    if not isinstance(step, PlainXComArg):
        raise TypeError(f"{step!r} is not the result of one task.")
    return step[key]


@task(multiple_outputs=True)
def check_data(base_model: str, base_model_version: str) -> dict[str, Any]:
    """Read and check every row that the run uses, and keep them in the workspace; see :mod:`data.checking`."""
    require_result(base_model, "choose_model", "name", "check_data")
    require_result(base_model_version, "choose_model", "version", "check_data")
    params = get_current_context()["params"]
    return checking.check_params(params, AzureMLHook(), base_model, base_model_version)


@task(multiple_outputs=True)
def resolve_parameters(model_defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Check the whole form, and merge the parameters of recipe, model and user.

    See :func:`parameters.for_component`.
    """
    require_result(model_defaults, "choose_model", "defaults", "resolve_parameters")
    params = get_current_context()["params"]
    checks.require_form(params)
    component = AzureMLHook().registry.component(recipe.COMPONENT, recipe.COMPONENT_VERSION)
    user = form.user_parameters(params)
    return parameters.for_component(component, model_defaults, user)


@task(retries=0)
def verdict() -> None:
    """Fail if any task has failed: a run that somebody marked failed would otherwise end green."""
    ti = get_current_context()["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id])[ti.run_id]
    if failed := sorted(name for name, state in states.items() if state in ("failed", "upstream_failed")):
        raise AirflowFailException(f"The run has failed at {', '.join(failed)}: look at the first's log.")
