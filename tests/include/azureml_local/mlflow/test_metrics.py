"""Metrics: an unmodified MLflow client of the compute environment logs to the workspace and reads from it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from azureml_local.mlflow.metrics import MetricStore, Point
from tests.support.azureml_service import ROOT, AzureMLLocal

PYTHON = ROOT / ".venv-compute" / "bin" / "python"
LOGGING = """
import json, os
import mlflow
mlflow.set_experiment("curves")
with mlflow.start_run(run_name="outer", tags={"colour": "blue"}) as outer:
    mlflow.log_params({"learning_rate": 0.1, "epochs": 3})
    for step in range(5):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
    mlflow.log_metrics({"bad": float("nan"), "eval_loss": 0.5})
    mlflow.log_text("said", "notes/said.txt")
    with mlflow.start_run(nested=True, run_name="inner") as inner:
        mlflow.log_metric("loss", 9.0)
client = mlflow.MlflowClient()
found = client.get_run(outer.info.run_id)
experiment = client.get_experiment_by_name("curves").experiment_id
search = lambda text, **more: [run.info.run_name for run in client.search_runs([experiment], text, **more)]
print(json.dumps({
    "status": found.info.status, "params": found.data.params, "metrics": sorted(found.data.metrics),
    "loss": [(point.step, point.value) for point in client.get_metric_history(outer.info.run_id, "loss")],
    "children": search(f"tags.mlflow.parentRunId = '{outer.info.run_id}'"),
    "family": sorted(search(f"tags.mlflow.rootRunId = '{outer.info.run_id}'")),
    "good": search("metrics.loss < 1 and tags.colour = 'blue'"),
    "order": search("", order_by=["metrics.loss DESC"]),
    "artifacts": [file.path for file in client.list_artifacts(outer.info.run_id)],
    "text": mlflow.artifacts.load_text(found.info.artifact_uri + "/notes/said.txt"),
}))
"""


@pytest.mark.skipif(not PYTHON.exists(), reason="the compute environment is not made")
def test_an_unmodified_mlflow_client_logs_and_reads(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    uri = azureml_local.ml_client().workspaces.get().mlflow_tracking_uri.replace("azureml://", "https://")
    environment = {
        **azureml_local.environment,
        "PATH": os.environ["PATH"],
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_TRACKING_TOKEN": azureml_local.token()["Authorization"].removeprefix("Bearer "),
    }
    done = subprocess.run(
        [PYTHON, "-c", LOGGING], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["status"] == "FINISHED"
    assert told["params"] == {"learning_rate": "0.1", "epochs": "3"}
    assert told["metrics"] == ["bad", "eval_loss", "loss"]
    assert told["loss"] == [[step, 1.0 / (step + 1)] for step in range(5)]
    assert told["children"] == ["inner"]
    assert told["family"] == ["inner", "outer"]
    assert told["good"] == ["outer"]
    assert told["order"] == ["inner", "outer"]
    assert told["artifacts"] == ["notes"]
    assert told["text"] == "said"


def test_a_tracking_request_without_a_token_is_refused(azureml_local: AzureMLLocal) -> None:
    uri = azureml_local.ml_client().workspaces.get().mlflow_tracking_uri.replace("azureml://", "https://")
    path = "/api/2.0/mlflow/runs/get?run_id=x"
    assert azureml_local.http.get(uri + path).status_code == 401
    missing = azureml_local.http.get(uri + path, headers=azureml_local.token())
    assert missing.status_code == 404
    assert missing.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"


def test_a_point_sent_twice_is_kept_once(tmp_path: Path) -> None:
    store = MetricStore(tmp_path / "metrics.db")
    points = [Point("loss", 2.0, 10, 1), Point("loss", 1.0, 20, 2), Point("loss", float("inf"), 5, 0)]
    store.append("run", points)
    store.append("run", points)
    assert [point.value for point in store.history("run", "loss")] == [float("inf"), 2.0, 1.0]
    assert store.latest("run") == [Point("loss", 1.0, 20, 2)]
    assert store.history("run", "loss", limit=1, offset=1) == [points[0]]
