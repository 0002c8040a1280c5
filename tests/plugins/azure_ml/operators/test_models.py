"""Registering what a job has made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.operators import AzureMLRegisterModelOperator
from tests.support.azureml_service import AzureMLLocal

pytestmark = pytest.mark.shares("trained_job")


def register(job: str, name: str, context: Any, **arguments: Any) -> dict[str, str]:
    operator = AzureMLRegisterModelOperator(
        task_id="register", job_name=job, output_name="trained_model", model_name=name, **arguments
    )
    return operator.execute(context)


def test_a_jobs_output_becomes_a_model_with_its_lineage(
    azureml_local: AzureMLLocal, trained_job: tuple[str, list[str]], context: Callable[..., Any], unique: str
) -> None:
    found = register(trained_job[0], unique, context("run-7"), tags={"loss": 1.5}, description="tuned")
    model = azureml_local.ml_client().models.get(unique, version=found["version"])
    assert (model.type, model.description) == ("mlflow_model", "tuned")
    assert model.tags == {
        "loss": "1.5",
        "airflow_dag_id": "a_dag",
        "airflow_run_id": "run-7",
        "airflow_task_id": "a_task",
        "airflow_project": "airflow",
        "azureml_job": trained_job[0],
    }
    assert f"/model/{unique}:1/details" in found["studio_url"]


def test_no_secret_becomes_a_tag_or_a_description(
    azureml_local: AzureMLLocal, trained_job: tuple[str, list[str]], context: Callable[..., Any], unique: str
) -> None:
    source = {"data_from": "https://x/b?sv=1&amp;sig=tellnobody"}
    register(trained_job[0], unique, context(), tags=source, description="AccountKey=tellnobody")
    model = azureml_local.ml_client().models.get(unique, version="1")
    assert "tellnobody" not in f"{model.tags} {model.description}"


def test_a_retry_makes_no_second_version_and_another_job_does(
    trained_job: tuple[str, list[str]],
    hook: AzureMLHook,
    training_request: Callable[..., Any],
    context: Callable[..., Any],
    unique: str,
) -> None:
    first, again = (register(trained_job[0], unique, context()) for _ in range(2))
    assert first["version"] == again["version"] == "1"
    assert register(trained_job[0], unique, context(), model_version="None")["id"] == first["id"]


def test_a_lost_answer_does_not_double_the_model(
    azureml_local: AzureMLLocal, trained_job: tuple[str, list[str]], context: Callable[..., Any], unique: str
) -> None:
    lost = {"kind": "lost_response", "method": "PUT", "path": f"*/models/{unique}/versions/*", "count": None}
    with azureml_local.faults(lost), pytest.raises(errors.Unreachable):
        register(trained_job[0], unique, context())
    assert register(trained_job[0], unique, context())["version"] == "1"
    assert len(list(azureml_local.ml_client().models.list(unique))) == 1


def test_a_version_of_another_job_is_neither_taken_nor_changed(
    azureml_local: AzureMLLocal, trained_job: tuple[str, list[str]], hook: AzureMLHook, unique: str
) -> None:
    job = trained_job[0]
    hook.models.register_output(job, "trained_model", unique, version="1")
    with pytest.raises(errors.NameTaken, match=f"a model '{unique}' version '1' of another owner"):
        hook.models.register_output("another-job", "trained_model", unique, version="1")
    assert azureml_local.ml_client().models.get(unique, version="1").tags["azureml_job"] == job
