"""MLflow's experiments: the names under which runs are kept."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from azureml_local.arm.grammar import ArmError, Json, not_found
from azureml_local.engine.store import Document, Store
from azureml_local.jobs.history import HistoryDep
from azureml_local.mlflow import filters, views
from azureml_local.mlflow.protocol import mlflow_router, paged
from azureml_local.routing import StoreDep

router = mlflow_router("/mlflow", __doc__)


# What an experiment is filtered by without a group; True where it is a number.
_ATTRIBUTES = {"name": False, "experiment_id": False, "creation_time": True, "last_update_time": True}
_VIEWS = {"ACTIVE_ONLY": ("active",), "DELETED_ONLY": ("deleted",), "ALL": ("active", "deleted")}


def _experiment(document: Document) -> Json:
    stamp = views.milliseconds(document.created)
    return {
        "experiment_id": document["id"],
        "name": document.key,
        "artifact_location": f"mlflow-artifacts:/experiments/{document['id']}",
        "lifecycle_stage": "deleted" if document.get("hidden") else "active",
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
    """A new experiment with its tags."""
    name = body.get("name")
    if not name or not isinstance(name, str):
        raise ArmError(400, "INVALID_PARAMETER_VALUE", "An experiment has a name: give 'name'.")
    if store.get("experiments", name) is not None:
        raise ArmError(409, "RESOURCE_ALREADY_EXISTS", f"Experiment {name!r} exists already.")
    made = history.experiment(name)
    tags = {str(tag["key"]): str(tag["value"]) for tag in body.get("tags") or []}
    store.update("experiments", name, tags=tags)
    return {"experiment_id": made["id"]}


@router.post("/experiments/set-experiment-tag")
async def set_experiment_tag(body: dict[str, Any], store: StoreDep, history: HistoryDep) -> Json:
    """One tag of an experiment."""
    found = history.find_experiment(str(body.get("experiment_id")))
    store.update("experiments", found.key, tags=found["tags"] | {str(body["key"]): str(body["value"])})
    return {}


@router.post("/experiments/delete-experiment-tag")
async def delete_experiment_tag(body: dict[str, Any], store: StoreDep, history: HistoryDep) -> Json:
    """Take a tag from an experiment."""
    found = history.find_experiment(str(body.get("experiment_id")))
    kept = {key: value for key, value in found["tags"].items() if key != body.get("key")}
    store.update("experiments", found.key, tags=kept)
    return {}


@router.post("/experiments/delete")
async def delete_experiment(body: dict[str, Any], store: StoreDep, history: HistoryDep) -> Json:
    """Archive an experiment."""
    store.update("experiments", history.find_experiment(str(body.get("experiment_id"))).key, hidden=True)
    return {}


@router.post("/experiments/restore")
async def restore_experiment(body: dict[str, Any], store: StoreDep, history: HistoryDep) -> Json:
    """Take an experiment out of the archive."""
    store.update("experiments", history.find_experiment(str(body.get("experiment_id"))).key, hidden=False)
    return {}


@router.post("/experiments/search")
async def search_experiments(body: dict[str, Any], store: StoreDep) -> Json:
    """Experiments by view and filter, newest first unless ``order_by`` says otherwise, page by page."""
    return _search(store, body)


@router.get("/experiments/search")
@router.get("/experiments/list")
async def list_experiments(request: Request, store: StoreDep) -> Json:
    """The same, asked for in the query."""
    query = request.query_params
    return _search(store, {**query, "order_by": query.getlist("order_by")})


def _search(store: Store, asked: Json) -> Json:
    match = filters.matcher(asked.get("filter") or "", _value_of, _ATTRIBUTES)
    view = _VIEWS.get(str(asked.get("view_type") or "ACTIVE_ONLY").upper())
    if view is None:
        raise ArmError(
            400,
            "INVALID_PARAMETER_VALUE",
            f"view_type is none of ACTIVE_ONLY, DELETED_ONLY, ALL: {asked['view_type']!r}.",
        )
    known = [_experiment(document) for document in reversed(store.list("experiments"))]
    found = [one for one in known if one["lifecycle_stage"] in view and match(one)]
    return paged("experiments", filters.ordered(found, asked.get("order_by") or [], _value_of), asked)


def _value_of(experiment: Json, group: str, key: str) -> Any:
    """A tag or attribute of an experiment, None if it has none."""
    if group == "attributes":
        return experiment.get(key)
    tags = experiment["tags"] if group == "tags" else []
    return next((tag["value"] for tag in tags if tag["key"] == key), None)
