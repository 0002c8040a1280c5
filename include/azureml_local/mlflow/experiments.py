"""MLflow's experiments: the names under which runs are kept."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends

from azureml_local.arm.grammar import ArmError, Json, not_found
from azureml_local.engine.store import Document
from azureml_local.locator import ServiceDep
from azureml_local.mlflow import views
from azureml_local.mlflow.routes import MLFLOW_PATH, MlflowRoute
from azureml_local.routing import require_token

router = APIRouter(
    prefix=f"{MLFLOW_PATH}/mlflow", route_class=MlflowRoute, dependencies=[Depends(require_token)]
)


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
async def get_experiment(experiment_id: str, local: ServiceDep) -> Json:
    """One experiment by its id."""
    return {"experiment": _experiment(views.experiment(local, experiment_id))}


@router.get("/experiments/get-by-name")
async def get_experiment_by_name(experiment_name: str, local: ServiceDep) -> Json:
    """One experiment by its name."""
    document = local.store.get("experiments", experiment_name)
    if document is None:
        raise not_found("The experiment", experiment_name, "the workspace")
    return {"experiment": _experiment(document)}


@router.post("/experiments/create")
async def create_experiment(body: dict[str, Any], local: ServiceDep) -> Json:
    """A new experiment."""
    if local.store.get("experiments", body["name"]) is not None:
        raise ArmError(409, "RESOURCE_ALREADY_EXISTS", f"Experiment {body['name']!r} exists already.")
    return {"experiment_id": local.history.experiment(body["name"])["id"]}


@router.api_route("/experiments/search", methods=["GET", "POST"])
@router.get("/experiments/list")
async def search_experiments(local: ServiceDep) -> Json:
    """All experiments, newest first."""
    return {"experiments": [_experiment(document) for document in reversed(local.store.list("experiments"))]}
