"""What a watcher sees: a line for each change where nothing can be redrawn, a table elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from include.launcher.airflow_api import TaskRow
from include.launcher.progress import LiveTable, PlainLines, choose, loss_text


def screen(*, terminal: bool) -> tuple[Console, io.StringIO]:
    """A console that writes into a string."""
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=100, color_system=None), out


def test_a_state_is_printed_once() -> None:
    console, out = screen(terminal=False)
    with choose(console) as progress:
        for seconds in (0.0, 1.0):
            progress.update(seconds, [TaskRow("connect", "running", seconds, 1)], [])
        progress.update(2.0, [TaskRow("connect", "success", 1.5, 1)], [])
    assert out.getvalue().splitlines() == [
        "    0.0  connect              running",
        "    2.0  connect              success  1.5 s",
    ]


def test_a_task_before_its_start_is_not_printed() -> None:
    console, out = screen(terminal=False)
    with PlainLines(console) as progress:
        progress.update(0.0, [TaskRow("deploy", "none", None, 0)], [])
    assert out.getvalue() == ""


def test_a_second_try_is_marked_as_such() -> None:
    console, out = screen(terminal=False)
    with PlainLines(console) as progress:
        progress.update(0.0, [TaskRow("deploy", "running", 0.1, 2)], [])
    assert out.getvalue().endswith("running  (try 2)\n")


def test_the_loss_is_printed_as_it_falls_but_not_twice() -> None:
    console, out = screen(terminal=False)
    with PlainLines(console) as progress:
        progress.update(3.0, [], [(10, 4.0)])
        progress.update(6.0, [], [(10, 4.0)])
        progress.update(9.0, [], [(10, 4.0), (20, 3.0)])
    assert [line.split(None, 1)[1] for line in out.getvalue().splitlines()] == [
        "training: step 10, loss 4.000 (began at 4.000)",
        "training: step 20, loss 3.000 (began at 4.000)",
    ]


def test_no_loss_is_no_text() -> None:
    assert loss_text([]) == ""


def test_on_a_terminal_every_task_has_its_row() -> None:
    console, out = screen(terminal=True)
    with LiveTable(console) as progress:
        progress.update(1.0, [TaskRow("connect", "success", 2.0, 1), TaskRow("deploy", "none", None, 0)], [])
    assert isinstance(choose(console), LiveTable)
    rows = [line.split() for line in out.getvalue().splitlines()]
    assert ["connect", "success", "2.0"] in rows
    assert ["deploy", "waiting"] in rows
