"""The last page of ``make run``: what was trained, how much better it is, that nothing is left."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from include.launcher.airflow_api import Json
from include.launcher.follow import DAG_ID
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
    """The summary's rows; a part that the run did not get to is left out."""

    def result(task_id: str) -> Json:
        value = stack.airflow.result(DAG_ID, outcome["run_id"], task_id)
        return value if isinstance(value, dict) else {}

    base, metrics = result("choose_model"), result("review_metrics")
    registered, data, smoke = outcome["model"], outcome["data"], outcome["smoke_test"]
    rows = [
        ("base model", f"{base.get('name')}, version {base.get('version')}" if base else ""),
        ("data", _data(data)),
        ("job", f"{outcome['job']['name']} ({outcome['job']['status']})" if outcome["job"]["name"] else ""),
        *losses(metrics),
        (
            "registered model",
            f"{registered['name']}, version {registered['version']}" if registered["name"] else "",
        ),
        ("prompt", _short(smoke["prompt"])),
        ("answer", f"{_short(smoke['answer'])} ({smoke['seconds']:.1f} s)" if smoke["answer"] else ""),
        ("endpoint", _endpoint(outcome["endpoint"])),
        ("time", f"{outcome['seconds']:.0f} s"),
    ]
    return [(name, text) for name, text in rows if text]


def losses(metrics: Json) -> list[tuple[str, str]]:
    """Loss of the base and the tuned model on each split, and the change in percent.

    Args:
        metrics: ``train_loss``, ``eval_loss``, and ``base_train_loss``, ``base_eval_loss`` if measured.
    """
    rows = []
    for split, words in (("train", "loss, training data"), ("eval", "loss, held-out data")):
        base, tuned = metrics.get(f"base_{split}_loss"), metrics.get(f"{split}_loss")
        if tuned is None and base is None:
            continue
        change = f" ({100 * (tuned / base - 1):+.0f} %)" if base and tuned is not None else ""
        rows.append((words, f"base {_number(base)}, tuned {_number(tuned)}{change}"))
    return rows


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
