"""The summary that ends ``make run``: what was trained, how much better it is, what is left."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from include.launcher import tasks
from include.launcher.airflow_api import Json
from include.launcher.outcome import result_of
from include.launcher.stack import Stack


def show(console: Console, stack: Stack, outcome: Json) -> None:
    """Print the summary of a run."""
    table = Table(
        title=f"Run {outcome['run_id']}: {outcome['state']}",
        title_justify="left",
        show_header=False,
        box=None,
    )
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in lines(stack, outcome):
        table.add_row(name, text)
    console.print()
    if console.is_terminal:
        console.print(table, markup=False)
        return
    console.print(table.title, markup=False, highlight=False, soft_wrap=True)
    for name, text in lines(stack, outcome):
        console.print(f"  {name:<18} {text}", markup=False, highlight=False, soft_wrap=True)


def lines(stack: Stack, outcome: Json) -> list[tuple[str, str]]:
    """The rows of the summary, without the parts that the run did not reach."""
    result = result_of(stack, outcome["run_id"])
    job, smoke = outcome["job"], outcome["smoke_test"]
    rows = [
        ("base model", _model(result(tasks.CHOOSE_MODEL))),
        ("data", _data(outcome["data"])),
        ("job", f"{job['name']} ({job['status']})" if job["name"] else ""),
        *losses(result(tasks.REVIEW_METRICS)),
        ("registered model", _model(outcome["model"])),
        ("prompt", _short(smoke["prompt"])),
        ("answer", f"{_short(smoke['answer'])} ({smoke['seconds']:.1f} s)" if smoke["answer"] else ""),
        ("endpoint", _endpoint(outcome["endpoint"])),
        ("time", f"{outcome['seconds']:.0f} s"),
    ]
    return [(name, text) for name, text in rows if text]


def losses(metrics: Json) -> list[tuple[str, str]]:
    """Loss of the base and the tuned model on each split, and the change in percent."""
    rows = []
    for split, words in (("train", "loss, training data"), ("eval", "loss, held-out data")):
        base, tuned = metrics.get(f"base_{split}_loss"), metrics.get(f"{split}_loss")
        if tuned is None and base is None:
            continue
        change = f" ({100 * (tuned / base - 1):+.0f} %)" if base and tuned is not None else ""
        rows.append((words, f"base {_number(base)}, tuned {_number(tuned)}{change}"))
    return rows


def _model(model: Json) -> str:
    return f"{model['name']}, version {model['version']}" if model.get("name") else ""


def _endpoint(endpoint: Json) -> str:
    if endpoint["name"] is None:
        return "none was created"
    if endpoint["exists_after"]:
        return f"{endpoint['name']} STILL EXISTS: az ml online-endpoint delete --name {endpoint['name']}"
    return f"{endpoint['name']} is gone: the workspace answers 404 when asked for it"


def _data(data: Json) -> str:
    if not data["rows"]:
        return ""
    rows = ", ".join(f"{split} {count}" for split, count in data["rows"].items())
    return f"{data['split_pc']:g} % of {data['dataset']}: {rows}"


def _number(value: Any) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _short(text: Any, limit: int = 400) -> str:
    flat = " ".join(str(text or "").split())
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."
