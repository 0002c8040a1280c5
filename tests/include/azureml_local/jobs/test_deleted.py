"""A deleted job leaves nothing to a new one of its name."""

from __future__ import annotations

import time
from typing import Any

from azure.ai.ml import MLClient

from tests.support.azureml_service import AzureMLLocal
from tests.support.waiting import finished, wait_for

NAME = "born-again"
TRACKING = "/mlflow/v1.0{scope}/api/2.0/mlflow"


def track(service: AzureMLLocal, method: str, path: str, **kwargs: Any) -> Any:
    """A request of an MLflow client; the answer's JSON."""
    scope = service.arm("GET", "").json()["id"]
    answer = service.http.request(
        method, f"{TRACKING.format(scope=scope)}/{path}", headers=service.token(), **kwargs
    )
    assert answer.is_success, answer.text
    return answer.json()


def run_job(client: MLClient, pipeline: Any) -> None:
    """Submit a pipeline under the name, and wait."""
    pipeline.name = NAME
    assert finished(client, client.jobs.create_or_update(pipeline).name).status == "Completed"


def test_a_new_job_has_no_logs_and_metrics_of_a_deleted_one_of_its_name(
    azureml_local: AzureMLLocal, client: MLClient, two_steps: Any
) -> None:
    run_job(client, two_steps(text="a"))
    point = {"run_id": NAME, "key": "loss", "value": 1.5, "timestamp": int(time.time() * 1000), "step": 1}
    track(azureml_local, "POST", "runs/log-metric", json=point)
    assert track(azureml_local, "GET", "runs/get", params={"run_id": NAME})["run"]["data"]["metrics"]
    log = next((azureml_local.home / "blobs").rglob(f"dcid.{NAME}/logs/azureml/executionlogs.txt"))
    assert log.read_text().count("Finishing experiment") == 1
    azureml_local.arm("DELETE", f"/jobs/{NAME}")
    wait_for(lambda: azureml_local.arm("GET", f"/jobs/{NAME}").status_code == 404)
    run_job(client, two_steps(text="a"))
    assert log.read_text().count("Finishing experiment") == 1
    assert not track(azureml_local, "GET", "runs/get", params={"run_id": NAME})["run"]["data"].get("metrics")
