"""What the pages behind Studio's links show of a job, an endpoint or a model: no keys, no variables, no inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from azureml_local.engine.processes import tail
from azureml_local.engine.store import Document
from azureml_local.jobs.history import History
from azureml_local.mlflow.metrics import MetricStore, Point

TEMPLATE: Final = Path(__file__).with_name("page.html")
LOG_LINES: Final = 60
_WIDTH, _HEIGHT, _EDGE = 320, 160, 10
Rows = list[tuple[str, Any]]


@dataclass
class Table:
    """Rows under heads."""

    name: str
    heads: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass
class Page:
    """What the template is given."""

    title: str
    facts: list[tuple[str, Rows]]
    error: str = ""
    tables: list[Table] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    logs: list[dict[str, str]] = field(default_factory=list)


@cache
def _template() -> Any:
    # Imported with the first page: a start of the service has no need of it.
    from jinja2 import Environment

    return Environment(autoescape=True, trim_blocks=True).from_string(TEMPLATE.read_text())


def html(page: Page) -> str:
    """The page; every text on it is escaped."""
    return str(_template().render(vars(page)))


def job(history: History, store: MetricStore, name: str) -> Page:
    """A job or a step: states, metrics as curves, the end of its logs; ArmError 404 if there is none."""
    run = history.get(name)
    below = [run]
    for member in below:
        below += history.children(member.key)
    error = (run.get("error") or {}).get("error") or {}
    facts = [
        ("State", _rows(run, status="status", displayName="name", experimentName="experiment",
                        compute="compute", startTime="started", endTime="ended")),
        ("Tags", sorted(_own(run["tags"]).items())),
    ]  # fmt: skip
    steps = [
        (one["displayName"], one["status"], one.get("startTime") or "", one.get("endTime") or "")
        for one in below[1:]
    ]
    metrics = [(one["displayName"], point) for one in below for point in store.latest(one.key)]
    return Page(
        title=f"Job {name}",
        facts=facts,
        error=str(error.get("message") or ""),
        tables=[
            Table("Steps", ("step", "state", "started", "ended"), steps),
            Table(
                "Metrics",
                ("step", "metric", "last value"),
                [(who, point.key, f"{point.value:.6g}") for who, point in metrics],
            ),
        ],
        curves=[
            curve
            for one in below
            for point in store.latest(one.key)
            if (curve := _curve(point.key, store.history(one.key, point.key)))
        ],
        logs=[
            {"name": one["displayName"], "text": text}
            for one in below
            if (text := tail(history.log_file(one), LOG_LINES))
        ],
    )


def endpoint(document: Document, deployments: list[Document]) -> Page:
    """An endpoint and its deployments."""
    properties = document["properties"]
    rows = [
        (
            one.key.partition("/")[2],
            one["properties"]["provisioningState"],
            one["properties"]["instanceType"],
            one["sku"]["capacity"],
            f"{properties['traffic'].get(one.key.partition('/')[2], 0)} %",
            (one.get("provisioningError") or {}).get("message") or "",
        )
        for one in deployments
    ]
    heads = ("deployment", "state", "instance type", "instances", "traffic", "error")
    facts = [
        ("State", _rows(properties, provisioningState="state", authMode="authentication",
                        description="description", scoringUri="scoring URI")),
        ("Tags", sorted((document.get("tags") or {}).items())),
    ]  # fmt: skip
    return Page(f"Endpoint {document.key}", facts, tables=[Table("Deployments", heads, rows)])


def model(document: Document) -> Page:
    """A version of a registered model."""
    properties = document["properties"]
    facts = [
        ("Model", [("created", document.created),
                   *_rows(properties, modelType="type", description="description", jobName="made by job")]),
        ("Tags", sorted(properties["tags"].items())),
        ("Properties", sorted(properties["properties"].items())),
    ]  # fmt: skip
    name, version = document.key.split("/", 1)
    return Page(f"Model {name}:{version}", facts)


def _rows(document: dict[str, Any], **names: str) -> Rows:
    return [(text, document[key]) for key, text in names.items() if document.get(key)]


def _own(tags: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in tags.items() if not name.startswith("mlflow.")}


def _curve(name: str, points: list[Point]) -> dict[str, Any] | None:
    """A metric as the points of an SVG line; None where there are not two values to draw one through."""
    finite = [point for point in points if math.isfinite(point.value)]
    if len(finite) < 2:
        return None
    low, high = min(point.value for point in finite), max(point.value for point in finite)
    across = (_WIDTH - 2 * _EDGE) / (len(finite) - 1)
    up = (_HEIGHT - 2 * _EDGE) / ((high - low) or 1.0)
    drawn = (
        f"{_EDGE + place * across:.1f},{_HEIGHT - _EDGE - (point.value - low) * up:.1f}"
        for place, point in enumerate(finite)
    )
    return {
        "name": name,
        "points": " ".join(drawn),
        "count": len(finite),
        "first": f"{finite[0].value:.4g}",
        "last": f"{finite[-1].value:.4g}",
    }
