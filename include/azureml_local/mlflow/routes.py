"""MLflow's REST API 2.0 under the workspace's tracking address: runs, metrics, parameters, tags."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any

from fastapi import Query, Request

from azureml_local.arm.grammar import ArmError, Json, not_found
from azureml_local.jobs.history import History, HistoryDep
from azureml_local.mlflow import filters, views
from azureml_local.mlflow.metrics import MetricsDep, MetricStore, Point
from azureml_local.mlflow.protocol import mlflow_router, paged

router = mlflow_router("/mlflow", __doc__)


def _run_id(body: Json) -> str:
    return str(body.get("run_id") or body.get("run_uuid"))


@router.post("/runs/create")
async def create_run(body: dict[str, Any], history: HistoryDep, metrics: MetricsDep) -> Json:
    """A run that the client itself keeps."""
    tags = {tag["key"]: tag["value"] for tag in body.get("tags") or []}
    experiment = history.find_experiment(str(body.get("experiment_id") or "0"))
    run_id, parent = str(uuid.uuid4()), tags.get("mlflow.parentRunId")
    name = body.get("run_name") or tags.get("mlflow.runName") or run_id
    history.create(run_id, "mlflow", experiment.key, parent=parent, displayName=name, tags=tags)
    history.set_status(run_id, "Running")
    return {"run": views.render(metrics, history.get(run_id))}


@router.post("/runs/update")
async def update_run(body: dict[str, Any], history: HistoryDep, metrics: MetricsDep) -> Json:
    """Name and state of a run. The state of a job's run is the runner's to tell, and is left as it is."""
    run = history.get(_run_id(body))
    if body.get("run_name"):
        history.update(run.key, displayName=body["run_name"])
    if body.get("status") and run["kind"] == "mlflow":
        status = views.FROM_MLFLOW.get(str(body["status"]))
        if status is None:
            raise ArmError(400, "INVALID_PARAMETER_VALUE", f"{body['status']!r} is no run status.")
        history.set_status(run.key, status)
    return {"run_info": views.render(metrics, history.get(run.key))["info"]}


@router.get("/runs/get")
async def get_run(history: HistoryDep, metrics: MetricsDep, run_id: str = "", run_uuid: str = "") -> Json:
    """One run with its latest metrics."""
    return {"run": views.render(metrics, history.get(run_id or run_uuid))}


@router.post("/runs/search")
async def search_runs(body: dict[str, Any], history: HistoryDep, metrics: MetricsDep) -> Json:
    """Runs by experiment and filter, newest first unless ``order_by`` says otherwise."""
    experiments = {str(name) for name in body.get("experiment_ids") or []}
    match = filters.matcher(body.get("filter") or "", views.value_of, views.ATTRIBUTES)
    view = body.get("run_view_type") or "ACTIVE_ONLY"
    runs = [
        rendered
        for run in reversed(history.all())
        if (not experiments or run["experimentId"] in experiments)
        and (view == "ALL" or run["hidden"] == (view == "DELETED_ONLY"))
        and match(rendered := views.render(metrics, run))
    ]
    return paged("runs", filters.ordered(runs, body.get("order_by") or [], views.value_of), body)


@router.post("/runs/delete")
async def delete_run(body: dict[str, Any], history: HistoryDep) -> Json:
    """Archive a run."""
    history.update(history.get(_run_id(body)).key, hidden=True)
    return {}


@router.post("/runs/restore")
async def restore_run(body: dict[str, Any], history: HistoryDep) -> Json:
    """Take a run out of the archive."""
    history.update(history.get(_run_id(body)).key, hidden=False)
    return {}


def _stored(number: Any) -> int:
    """A number as a column holds it; ArmError 400 for one of more than 64 bits."""
    if not -(1 << 63) <= int(number) < 1 << 63:
        raise ArmError(400, "INVALID_PARAMETER_VALUE", f"{number} has more than 64 bits.")
    return int(number)


def _log(history: History, metrics: MetricStore, run_id: str, body: Json) -> None:
    run = history.get(run_id)
    now = int(time.time() * 1000)
    points = [
        Point(
            str(m["key"]), float(m["value"]), _stored(m.get("timestamp") or now), _stored(m.get("step") or 0)
        )
        for m in body.get("metrics") or []
    ]
    if points:
        metrics.append(run.key, points)
    for parameter in body.get("params") or []:
        key, value = parameter["key"], str(parameter["value"])
        if run["parameters"].setdefault(key, value) != value:
            raise ArmError(
                400,
                "INVALID_PARAMETER_VALUE",
                f"Parameter {key!r} of run {run.key!r} is {run['parameters'][key]!r}: it stays so.",
            )
    run["tags"] |= {tag["key"]: str(tag["value"]) for tag in body.get("tags") or []}
    if body.get("params") or body.get("tags"):
        # The state may have moved since the run was read: only what is logged here is written.
        history.update(run.key, parameters=run["parameters"], tags=run["tags"])


@router.post("/runs/log-metric")
async def log_metric(body: dict[str, Any], history: HistoryDep, metrics: MetricsDep) -> Json:
    """One value of a metric."""
    _log(history, metrics, _run_id(body), {"metrics": [body]})
    return {}


@router.post("/runs/log-parameter")
async def log_parameter(body: dict[str, Any], history: HistoryDep, metrics: MetricsDep) -> Json:
    """One parameter; it cannot change later."""
    _log(history, metrics, _run_id(body), {"params": [body]})
    return {}


@router.post("/runs/set-tag")
async def set_tag(body: dict[str, Any], history: HistoryDep, metrics: MetricsDep) -> Json:
    """One tag."""
    _log(history, metrics, _run_id(body), {"tags": [body]})
    return {}


@router.post("/runs/delete-tag")
async def delete_tag(body: dict[str, Any], history: HistoryDep) -> Json:
    """Take a tag from a run; raises ArmError: 404 if the run has no such tag."""
    run = history.get(_run_id(body))
    if run["tags"].pop(str(body.get("key")), None) is None:
        raise not_found("The tag", str(body.get("key")), f"run {run.key}")
    history.update(run.key, tags=run["tags"])
    return {}


@router.post("/runs/log-batch")
async def log_batch(body: dict[str, Any], history: HistoryDep, metrics: MetricsDep) -> Json:
    """Metrics, parameters and tags at once."""
    _log(history, metrics, _run_id(body), body)
    return {}


@router.get("/metrics/get-history")
async def metric_history(
    metric_key: str,
    history: HistoryDep,
    metrics: MetricsDep,
    run_id: str = "",
    run_uuid: str = "",
    max_results: Annotated[int, Query(ge=1, lt=1 << 31)] = 25000,
    page_token: Annotated[int, Query(ge=0, lt=1 << 31)] = 0,
) -> Json:
    """All values of a metric, page by page."""
    run, offset = history.get(run_id or run_uuid).key, page_token
    points = metrics.history(run, metric_key, max_results + 1, offset)
    answer: Json = {"metrics": [views.metric(point) for point in points[:max_results]]}
    if len(points) > max_results:
        answer["next_page_token"] = str(offset + max_results)
    return answer


@router.get("/metrics/get-history-bulk")
async def metric_history_bulk(metric_key: str, request: Request, metrics: MetricsDep) -> Json:
    """The values of one metric of several runs."""
    runs = [*request.query_params.getlist("run_id"), *request.query_params.getlist("run_ids")]
    return {
        "metrics": [
            {**views.metric(point), "run_id": run}
            for run in runs
            for point in metrics.history(run, metric_key)
        ]
    }
