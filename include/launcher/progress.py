"""Shows a run while it goes on: a table that is redrawn on a terminal, else a line for each change."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from include.launcher.airflow_api import TaskRow
from include.launcher.tasks import WAIT_FOR_JOB

Losses = list[tuple[int, float]]
STYLES = {
    "success": "green",
    "failed": "bold red",
    "upstream_failed": "red",
    "running": "cyan",
    "deferred": "cyan",
    "up_for_retry": "yellow",
}


class Progress(Protocol):
    """A view of a run."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, seconds: float, rows: list[TaskRow], losses: Losses) -> None:
        """Show the run ``seconds`` after its start; ``losses`` are pairs of step and loss."""


def choose(console: Console) -> Progress:
    """A redrawn table on a terminal, else plain lines."""
    return LiveTable(console) if console.is_terminal else PlainLines(console)


class LiveTable:
    """One row a task, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def update(self, seconds: float, rows: list[TaskRow], losses: Losses) -> None:
        """Redraw."""
        table = Table(title=f"{seconds:.0f} s", title_justify="left", box=None, pad_edge=False)
        for name, justify in (("task", "left"), ("state", "left"), ("seconds", "right"), ("", "left")):
            table.add_column(name, justify=justify)  # type: ignore[arg-type]
        for row in rows:
            remark = loss_text(losses) if row.task_id == WAIT_FOR_JOB else ""
            if row.try_number > 1:
                remark = f"try {row.try_number}  {remark}"
            state = Text("waiting" if row.state == "none" else row.state, style=STYLES.get(row.state, "dim"))
            table.add_row(row.task_id, state, seconds_text(row), remark)
        self._live.update(table)


class PlainLines:
    """One line a change: for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, tuple[str, int]] = {}
        self._step = -1
        self._loss_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def update(self, seconds: float, rows: list[TaskRow], losses: Losses) -> None:
        """Print what has changed; the loss at most every two seconds."""
        for row in rows:
            if row.state == "none" or self._seen.get(row.task_id) == (row.state, row.try_number):
                continue
            self._seen[row.task_id] = (row.state, row.try_number)
            retry = f"  (try {row.try_number})" if row.try_number > 1 else ""
            took = (
                f"  {seconds_text(row)} s"
                if row.state in ("success", "failed") and row.seconds is not None
                else ""
            )
            self._print(f"{seconds:7.1f}  {row.task_id:<20} {row.state}{took}{retry}")
        if losses and losses[-1][0] != self._step and seconds - self._loss_at >= 2:
            self._step, self._loss_at = losses[-1][0], seconds
            self._print(f"{seconds:7.1f}  {'':<20} {loss_text(losses)}")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def seconds_text(row: TaskRow) -> str:
    """The task's seconds with one digit; empty for a task that never ran."""
    never_ran = row.seconds is None or row.state in ("upstream_failed", "skipped")
    return "" if never_ran else f"{row.seconds:.1f}"


def loss_text(losses: Losses) -> str:
    """The first loss and the last."""
    if not losses:
        return ""
    (_, first), (step, last) = losses[0], losses[-1]
    return f"training: step {step}, loss {last:.3f} (began at {first:.3f})"
