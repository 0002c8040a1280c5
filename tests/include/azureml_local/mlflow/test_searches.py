"""Searches of runs and experiments: an unmodified MLflow client asks, by either address of the tracking API."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from azureml_local.arm.grammar import ArmError
from azureml_local.mlflow.filters import matcher, ordered
from azureml_local.mlflow.views import ATTRIBUTES, value_of
from tests.support.azureml_service import ROOT, AzureMLLocal

PYTHON = ROOT / ".venv-compute" / "bin" / "python"
SEARCHING = """
import json, sys
import mlflow
prefix = sys.argv[1]
client = mlflow.MlflowClient()
ids = {name: client.create_experiment(prefix + name, tags={"team": name, "note": "this and that"}) for name in "abc"}
client.set_experiment_tag(ids["a"], "late", "yes")
client.delete_experiment(ids["c"])
def names(text, **more):
    return [one.name.removeprefix(prefix) for one in client.search_experiments(filter_string=text, **more)]
mine = f"name LIKE '{prefix}%'"
first = client.search_experiments(filter_string=mine, max_results=1, order_by=["name ASC"])
second = client.search_experiments(filter_string=mine, max_results=1, order_by=["name ASC"], page_token=first.token)
for name in ("left", "right"):
    run = client.create_run(ids["a"], run_name=name, tags={"say": f"{name} and on"})
    client.log_param(run.info.run_id, "lr", "0.1") if name == "left" else None
    client.log_metric(run.info.run_id, "val/loss", 0.5 if name == "left" else 1.5)
def runs(text):
    return sorted(one.info.run_name for one in client.search_runs([ids["a"]], text))
print(json.dumps({
    "tags": client.get_experiment(ids["a"]).tags,
    "team": names(mine + " and tags.team = 'b'"),
    "note": names(mine + ' and tags.note = "this and that"', order_by=["name ASC"]),
    "unset": names(mine + " AND tags.late IS NULL"),
    "set": names(mine + " AND tags.late IS NOT NULL"),
    "deleted": names(mine, view_type=mlflow.entities.ViewType.DELETED_ONLY),
    "all": names(mine, view_type=mlflow.entities.ViewType.ALL, order_by=["name DESC"]),
    "pages": [one.name.removeprefix(prefix) for one in [*first, *second]], "more": second.token,
    "quoted": runs('tags.say = "left and on"'),
    "without": runs("params.lr IS NULL"),
    "slash": runs('metrics."val/loss" < 1 and tags.say LIKE "% and on"'),
}))
"""


@pytest.mark.skipif(not PYTHON.exists(), reason="the compute environment is not made")
@pytest.mark.parametrize("version", ["v1.0", "v2.0"])
def test_an_unmodified_mlflow_client_searches(
    azureml_local: AzureMLLocal, version: str, tmp_path: Path
) -> None:
    uri = azureml_local.ml_client().workspaces.get().mlflow_tracking_uri.replace("azureml://", "https://")
    environment = {
        **azureml_local.environment,
        "PATH": os.environ["PATH"],
        "MLFLOW_TRACKING_URI": uri.replace("/mlflow/v1.0/", f"/mlflow/{version}/"),
        "MLFLOW_TRACKING_TOKEN": azureml_local.token()["Authorization"].removeprefix("Bearer "),
    }
    command = [str(PYTHON), "-c", SEARCHING, f"{version}-"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.strip().splitlines()[-1]) == {
        "tags": {"team": "a", "note": "this and that", "late": "yes"},
        "team": ["b"],
        "note": ["a", "b"],
        "unset": ["b"],
        "set": ["a"],
        "deleted": ["c"],
        "all": ["c", "b", "a"],
        "pages": ["a", "b"],
        "more": None,
        "quoted": ["left"],
        "without": ["right"],
        "slash": ["left"],
    }


@pytest.mark.parametrize("path", ["experiments/search", "runs/search"])
@pytest.mark.parametrize(
    "body", [{"max_results": 0}, {"max_results": 50001}, {"page_token": "x"}, {"filter": "tags.a = b"}]
)
def test_a_search_that_makes_no_sense_is_refused(
    azureml_local: AzureMLLocal, path: str, body: dict[str, Any]
) -> None:
    uri = azureml_local.ml_client().workspaces.get().mlflow_tracking_uri.replace("azureml://", "https://")
    answer = azureml_local.http.post(f"{uri}/api/2.0/mlflow/{path}", json=body, headers=azureml_local.token())
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def run_body(name: str, **metrics: float | str) -> dict[str, Any]:
    """A run in MLflow's form."""
    return {
        "info": {"run_id": name, "run_name": name, "status": "FINISHED", "start_time": 1},
        "data": {
            "metrics": [{"key": key, "value": value} for key, value in metrics.items()],
            "params": [],
            "tags": [{"key": "name", "value": name}, {"key": "my key", "value": "this and that"}],
        },
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["a", "b"]),
        ("attributes.run_id = 'a'", ["a"]),
        ("run_id IN ('a', 'c')", ["a"]),
        ("run_id NOT IN ('a', 'c')", ["b"]),
        ("tags.name LIKE 'b%' and status = 'FINISHED'", ["b"]),
        ("tags.name ILIKE 'B'", ["b"]),
        ("metrics.loss >= 2", ["b"]),
        ("metrics.loss > -1.5e3 AND start_time = 1", ["a", "b"]),
        ("tags.`name` != 'a'", ["b"]),
        ('tags."my key" = "this and that" and run_id = "b"', ["b"]),
        ("tags.other IS NULL", ["a", "b"]),
        ("params.lr is not null", []),
        ("datasets.name = 'x'", []),
        ("tags.other != 'x'", []),
    ],
)
def test_runs_are_filtered_as_mlflow_does(text: str, names: list[str]) -> None:
    runs = [run_body("a", loss=1.0), run_body("b", loss=2.0)]
    match = matcher(text, value_of, ATTRIBUTES)
    assert [run["info"]["run_id"] for run in runs if match(run)] == names


@pytest.mark.parametrize(
    "text",
    [
        "tags.a",
        "tags.a = b",
        "tags.a < 'b'",
        "metrics.loss = 'x'",
        "metrics.loss LIKE '1%'",
        "metrics.loss IS NULL",
        "colour = 'x'",
        "secrets.a = 'x'",
        "tags.a = 'x' or tags.b = 'y'",
        "tags.a = 'x' and",
        "run_id IN ()",
        "run_id IN ('a' 'b')",
        "tags.a = 'x'; drop",
        "start_time > 'now'",
    ],
)
def test_a_filter_that_mlflow_refuses_is_refused(text: str) -> None:
    with pytest.raises(ArmError, match="cannot be read"):
        matcher(text, value_of, ATTRIBUTES)


def test_a_metric_that_is_no_number_is_compared_as_one() -> None:
    match = matcher("metrics.loss < 5", value_of, ATTRIBUTES)
    losses = ("NaN", "-Infinity", "Infinity", 1.0)
    assert [match(run_body("x", loss=loss)) for loss in losses] == [False, True, False, True]


def test_runs_without_the_metric_come_last() -> None:
    runs = [run_body("none"), run_body("a", loss=1.0), run_body("b", loss=2.0)]
    falling = ordered(runs, ["metrics.loss DESC"], value_of)
    assert [run["info"]["run_id"] for run in falling] == ["b", "a", "none"]
