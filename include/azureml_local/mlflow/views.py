"""MLflow's view of run history: the shapes of its REST API 2.0, and what its searches read of a run."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from azureml_local.arm.grammar import CALLER, Json
from azureml_local.engine.store import Document
from azureml_local.mlflow.metrics import MetricStore, Point

_STATUS = {
    "NotStarted": "SCHEDULED",
    "Queued": "SCHEDULED",
    "Preparing": "SCHEDULED",
    "Provisioning": "SCHEDULED",
    "Starting": "SCHEDULED",
    "Running": "RUNNING",
    "Finalizing": "RUNNING",
    "CancelRequested": "RUNNING",
    "Completed": "FINISHED",
    "Canceled": "KILLED",
}
# Azure's state for each of MLflow's.
FROM_MLFLOW = {
    "RUNNING": "Running",
    "SCHEDULED": "Queued",
    "FINISHED": "Completed",
    "FAILED": "Failed",
    "KILLED": "Canceled",
}

# What a run is filtered by without a group; True where it is a number.
ATTRIBUTES = {
    "artifact_uri": False,
    "end_time": True,
    "experiment_id": False,
    "run_id": False,
    "run_name": False,
    "start_time": True,
    "status": False,
    "user_id": False,
}


def mlflow_status(run: Document) -> str:
    """MLflow's word for a run's state."""
    return _STATUS.get(run["status"], "FAILED")


def milliseconds(stamp: str | None) -> int | None:
    """Unix time in milliseconds of an ISO time."""
    return int(datetime.fromisoformat(stamp).timestamp() * 1000) if stamp else None


def number(value: float) -> float | str:
    """A float as protobuf's JSON writes it; what is not finite becomes a word."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def metric(point: Point) -> Json:
    """One value of a metric."""
    return {"key": point.key, "value": number(point.value), "timestamp": point.timestamp, "step": point.step}


def render(metrics: MetricStore, run: Document) -> Json:
    """A run with its latest metrics."""
    tags = {"mlflow.user": CALLER, "mlflow.runName": run["displayName"], **run["tags"]}
    return {
        "info": {
            "run_id": run.key,
            "run_uuid": run.key,
            "run_name": run["displayName"],
            "experiment_id": run["experimentId"],
            "user_id": CALLER,
            "status": mlflow_status(run),
            "start_time": milliseconds(run.get("startTime") or run.created),
            "end_time": milliseconds(run.get("endTime")),
            "artifact_uri": f"mlflow-artifacts:/{run.key}",
            "lifecycle_stage": "deleted" if run["hidden"] else "active",
        },
        "data": {
            "metrics": [metric(point) for point in metrics.latest(run.key)],
            "params": [{"key": key, "value": value} for key, value in run["parameters"].items()],
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        },
        "inputs": {},
    }


def value_of(run: Json, group: str, key: str) -> Any:
    """A tag, parameter, metric or attribute of a rendered run, None if it has none."""
    if group == "attributes":
        return run["info"].get(key)
    value = next((entry["value"] for entry in run["data"].get(group, []) if entry["key"] == key), None)
    return float(value) if group == "metrics" and value is not None else value
