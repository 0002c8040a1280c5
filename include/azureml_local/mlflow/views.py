"""MLflow's view of run history: the shapes of its REST API 2.0, and the filters of ``runs/search``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from azureml_local.arm.grammar import CALLER, ArmError, Json
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

_CLAUSE = re.compile(
    r"""^\s*(?:(tags?|params?|metrics?|attributes?|attr|run)\.)?(`[^`]+`|"[^"]+"|[\w.\-/]+)
    \s*(!=|>=|<=|=|>|<|\bnot\s+in\b|\bi?like\b|\bin\b)\s*(.+?)\s*$""",
    re.I | re.X,
)
_AND = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)", re.I)


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


def matcher(text: str) -> Callable[[Json], bool]:
    """A test of rendered runs for a filter such as ``tags.a = 'b' and metrics.loss < 1``.

    Raises:
        ArmError: 400 if the filter cannot be read.
    """
    clauses = [_clause(part) for part in _AND.split(text.strip()) if part.strip()]
    return lambda run: all(clause(run) for clause in clauses)


def _clause(part: str) -> Callable[[Json], bool]:
    match = _CLAUSE.match(part)
    if match is None:
        raise ArmError(400, "INVALID_PARAMETER_VALUE", f"The filter clause {part!r} cannot be read.")
    group, key, operator, raw = (
        (match[1] or "attributes").lower(),
        match[2].strip('`"'),
        match[3].lower(),
        match[4],
    )
    operand: Any = re.findall(r"'([^']*)'", raw) if operator in ("in", "not in") else raw.strip("'\"")
    return lambda run: _compare(value_of(run, group, key), operator, operand)


def value_of(run: Json, group: str, key: str) -> Any:
    """A tag, parameter, metric or attribute of a rendered run, None if it has none."""
    if group.startswith(("attr", "run")):
        return run["info"].get({"run_name": "run_name", "created": "start_time"}.get(key, key))
    name = {"tag": "tags", "par": "params", "met": "metrics"}[group[:3]]
    return next((entry["value"] for entry in run["data"][name] if entry["key"] == key), None)


def _compare(value: Any, operator: str, operand: Any) -> bool:
    if value is None:
        return False
    if operator in ("in", "not in"):
        return (str(value) in operand) == (operator == "in")
    if operator.endswith("like"):
        pattern = re.escape(operand).replace("%", ".*").replace("_", ".")
        return re.fullmatch(pattern, str(value), re.I if operator == "ilike" else 0) is not None
    if isinstance(value, int | float):
        try:
            operand = float(operand)
        except ValueError:
            return False
    return bool(
        {
            "=": value == operand,
            "!=": value != operand,
            ">": value > operand,
            "<": value < operand,
            ">=": value >= operand,
            "<=": value <= operand,
        }[operator]
    )


def ordered(runs: list[Json], order_by: list[str]) -> list[Json]:
    """Sort rendered runs by clauses such as ``metrics.loss DESC``; runs without a value come last."""
    for clause in reversed(order_by):
        name, _, direction = clause.strip().partition(" ")
        group, _, key = name.partition(".") if "." in name else ("attributes", "", name)
        falling = direction.strip().upper() == "DESC"
        have = [run for run in runs if value_of(run, group, key.strip('`"')) is not None]
        lack = [run for run in runs if value_of(run, group, key.strip('`"')) is None]
        have.sort(key=lambda run: value_of(run, group, key.strip('`"')), reverse=falling)
        runs = have + lack
    return runs
