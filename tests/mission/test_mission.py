"""The whole Dag, every step for real: a job trains, a deployment answers, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.azureml_service import AzureMLLocal
from tests.support.dag_run import Outcome

RunDag = Callable[..., Outcome]
pytestmark = pytest.mark.timeout(900)


def _endpoints(azureml_local: AzureMLLocal) -> list[str]:
    answer = azureml_local.arm("GET", "/onlineEndpoints", version="2022-02-01-preview")
    return [endpoint["name"] for endpoint in answer.json()["value"]]


@pytest.fixture(scope="module")
def good_run(run_dag: RunDag) -> Outcome:
    return run_dag()


def test_the_run_succeeds_with_every_task(good_run: Outcome) -> None:
    assert good_run.state == "success"
    assert set(good_run.tasks.values()) == {"success"}


def test_the_tuned_model_is_a_fifth_better_than_its_base_on_rows_it_never_saw(good_run: Outcome) -> None:
    metrics = good_run.xcoms["review_metrics"]
    assert metrics["eval_loss"] <= 0.8 * metrics["base_eval_loss"]


def test_the_deployment_answers_with_text(good_run: Outcome) -> None:
    answer = good_run.xcoms["smoke_test"]
    assert answer["prompt"].strip()
    assert answer["answer"].strip()


def test_the_model_is_registered_with_its_lineage(good_run: Outcome, azureml_local: AzureMLLocal) -> None:
    registered = good_run.xcoms["register_model"]
    model = azureml_local.ml_client().models.get(registered["name"], version=registered["version"])
    assert registered["name"] == "Phi-3-mini-4k-instruct-ultrachat-200k"
    assert model.type == "mlflow_model"
    assert model.path.endswith("trained_model") or "trained_model" in model.path
    assert model.tags["base_model"] == good_run.xcoms["choose_model"]["id"]


def test_the_endpoint_is_gone(good_run: Outcome, azureml_local: AzureMLLocal) -> None:
    name = good_run.xcoms["create_endpoint"]["endpoint_name"]
    deleted = good_run.xcoms["delete_endpoint"]
    assert (deleted["endpoint_name"], deleted["exists_after"]) == (name, False)
    assert name not in _endpoints(azureml_local)


def test_the_data_crosses_tasks_as_addresses_in_the_workspace(good_run: Outcome) -> None:
    data = good_run.xcoms["prepare_data"]
    addresses = [value for key, value in data.items() if key.endswith(("_uri", "_id"))]
    assert addresses
    assert all(address.startswith("azureml:") for address in addresses)


def test_no_secret_is_in_any_xcom(good_run: Outcome, azureml_local: AzureMLLocal) -> None:
    everything = str(good_run.xcoms)
    for secret in ("sig=", "eyJ", azureml_local.environment["IDENTITY_HEADER"], "primaryKey"):
        assert secret not in everything


def test_a_run_whose_job_fails_ends_red_and_makes_no_endpoint(
    run_dag: RunDag, azureml_local: AzureMLLocal
) -> None:
    fault = {
        "kind": "job_failed",
        "step": "chat_completion_model_import",
        "message": "the base model is broken",
    }
    with azureml_local.faults(fault | {"count": None}):
        outcome = run_dag(num_train_epochs=1, finetune_parameters={"max_steps": 2})
    assert outcome.state == "failed"
    assert outcome.tasks["wait_for_job"] == "failed"
    assert outcome.tasks["delete_endpoint"] == "success"
    assert outcome.tasks["verdict"] == "failed"
    assert _endpoints(azureml_local) == []
