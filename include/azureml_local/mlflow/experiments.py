"""MLflow's experiments: the names under which runs are kept."""

from __future__ import annotations

from typing import Any

from azureml_local.arm.grammar import ArmError, Json, not_found
from azureml_local.engine.store import Document
from azureml_local.jobs.history import HistoryDep
from azureml_local.mlflow import views
from azureml_local.mlflow.protocol import mlflow_router
from azureml_local.routing import StoreDep

router = mlflow_router("/mlflow", __doc__)


def _experiment(document: Document) -> Json:
    stamp = views.milliseconds(document.created)
    return {
        "experiment_id": document["id"],
        "name": document.key,
        "artifact_location": f"mlflow-artifacts:/experiments/{document['id']}",
        "lifecycle_stage": "active",
        "creation_time": stamp,
        "last_update_time": views.milliseconds(document.modified),
        "tags": [{"key": key, "value": value} for key, value in document["tags"].items()],
    }


@router.get("/experiments/get")
async def get_experiment(experiment_id: str, history: HistoryDep) -> Json:
    """One experiment by its id."""
    return {"experiment": _experiment(history.find_experiment(experiment_id))}


@router.get("/experiments/get-by-name")
async def get_experiment_by_name(experiment_name: str, store: StoreDep) -> Json:
    """One experiment by its name."""
    document = store.get("experiments", experiment_name)
    if document is None:
        raise not_found("The experiment", experiment_name, "the workspace")
    return {"experiment": _experiment(document)}


@router.post("/experiments/create")
async def create_experiment(body: dict[str, Any], store: StoreDep, history: HistoryDep) -> Json:
    """A new experiment."""
    if store.get("experiments", body["name"]) is not None:
        raise ArmError(409, "RESOURCE_ALREADY_EXISTS", f"Experiment {body['name']!r} exists already.")
    return {"experiment_id": history.experiment(body["name"])["id"]}


@router.api_route("/experiments/search", methods=["GET", "POST"])
@router.get("/experiments/list")
async def search_experiments(store: StoreDep) -> Json:
    """All experiments, newest first."""
    return {"experiments": [_experiment(document) for document in reversed(store.list("experiments"))]}
