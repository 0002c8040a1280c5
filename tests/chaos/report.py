"""What the user sees: a line a case while it runs, and the table in the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos.invariants import Result

FIELDS = tuple(Result.__dataclass_fields__)
WIDTH = 150
"""Columns of the table, whatever the terminal or the CI's log has."""

SHORT = {
    "expected_state": "expected",
    "endpoints_left_before_reap": "left",
    "jobs_left_before_reap": "jobs left",
    "cleaned_seconds": "clean s",
    "endpoints_left": "left after",
    "secrets_found": "secrets",
    "seconds": "s",
}


def tell(
    console: Console, row: dict[str, Any], problems: list[str], done: int, of: int, seconds: float
) -> None:
    """One line, and one for each thing that does not hold."""
    mark = "[green]ok[/]" if row["ok"] else "[red]NOT OK[/]"
    console.print(
        f"{seconds:5.0f} s {done:3}/{of} {mark} {row['task']} {row['fault']} {row['mode']}: {row['state']}"
        f" in {row['seconds']:.0f} s",
        highlight=False,
    )
    for problem in problems:
        console.print(f"        {problem}", markup=False, highlight=False, soft_wrap=True)


def show(rows: Sequence[dict[str, Any]], wrong: dict[str, list[str]], console: Console) -> None:
    """The table, and under it what is wrong."""
    grid = Table(*[SHORT.get(name, name) for name in FIELDS])
    for row in rows:
        grid.add_row(*[_cell(row[name]) for name in FIELDS], style="" if row["ok"] else "red")
    console.print(grid)
    for name, problems in sorted(wrong.items()):
        for problem in problems:
            console.print(f"{name}: {problem}", markup=False, highlight=False, soft_wrap=True)
    good = sum(bool(row["ok"]) for row in rows)
    console.print(f"{good} of {len(rows)} cases are ok.")


def _cell(value: Any) -> str:
    return {True: "ok", False: "NOT OK"}[value] if isinstance(value, bool) else str(value)
