"""A job that writes more than anybody reads: its budgets hold, and what is shown and told has a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.bounds import ERROR, LINE
from azure_ml.hook import AzureMLHook
from azure_ml.hook.jobs import logs, stream
from azure_ml.hook.jobs.logs import LogOffsets
from azure_ml.operators import AzureMLWaitForJobOperator
from tests.support.airflow_task import deferred, event_of

Command = Callable[..., str]

FLOOD = "import sys, time; any(sys.stdout.write((79 * 'y' + chr(10)) * 1000) and time.sleep(0.1) for _ in iter(int, 1))"
"""Writes 10,000 lines a second, for ever."""
BUDGET_SECONDS = 6.0


def ends_in_time(wait: Callable[[], Any]) -> None:
    started = time.monotonic()
    with pytest.raises(errors.JobRanTooLong):
        wait()
    assert time.monotonic() - started < BUDGET_SECONDS + 60


@pytest.fixture
def little_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small part of what the flood writes between two looks."""
    monkeypatch.setattr(logs, "LOOK_BYTES", 100_000)
    monkeypatch.setattr(logs, "LOOK_SECONDS", 2.0)


def test_a_flood_does_not_switch_the_budgets_off_on_a_worker(
    command_job: Command,
    hook: AzureMLHook,
    context: Any,
    little_shown: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(stream, "STREAM_CHARACTERS", 2_000_000)
    name = command_job(FLOOD)
    waiting = AzureMLWaitForJobOperator(task_id="wait", job_name=name, run_timeout=BUDGET_SECONDS / 3600)
    ends_in_time(lambda: waiting.execute(context()))
    assert hook.jobs.status(name) == "Canceled"
    shown = capsys.readouterr().out
    assert "bytes are left out here" in shown
    assert f"user_logs/std_log.txt of the run {name} in Studio" in shown


def test_a_flood_does_not_switch_the_budgets_off_while_deferred(
    command_job: Command, hook: AzureMLHook, context: Any, little_shown: None
) -> None:
    there = context()
    name = command_job(FLOOD)
    arguments: dict[str, Any] = {
        "deferrable": True,
        "poll_seconds": 0.2,
        "log_every_seconds": 1,
        "run_timeout": BUDGET_SECONDS / 3600,
    }

    def operator() -> AzureMLWaitForJobOperator:
        return AzureMLWaitForJobOperator(task_id="wait", job_name=name, **arguments)

    def wait() -> None:
        waits = deferred(lambda: operator().execute(there))
        while True:
            event = event_of(waits.trigger)
            try:
                operator().execute_complete(there, event)
            except errors.JobOverBudget:
                raise
            except BaseException as again:
                waits = again  # type: ignore[assignment]

    ends_in_time(wait)
    assert hook.jobs.status(name) == "Canceled"
    saved = LogOffsets.load(name, there["task_state_store"].get("log"))
    (key,) = saved.offsets
    assert saved.left_out[key] > 0
    assert saved.shown(key) < 20 * 100_000


def test_of_a_log_that_was_cut_the_last_lines_are_shown_and_the_sum_is_right(
    command_job: Command, hook: AzureMLHook, little_shown: None
) -> None:
    name = command_job("[print('line', n) for n in range(100_000)]")
    while hook.jobs.status(name) != "Completed":
        time.sleep(0.05)
    lines: list[str] = []
    known = LogOffsets(name)
    hook.logs.pump(name, lines.append, offsets=known, whole=True)
    (key,) = known.offsets
    assert lines[-1] == "line 99999"
    assert "bytes are left out here" in lines[1]
    assert known.shown(key) == sum(len(line) + 1 for line in lines[2:])
    assert known.offsets[key] == sum(len(f"line {n}") + 1 for n in range(100_000))


def test_a_line_without_end_neither_fills_the_log_nor_the_error(
    command_job: Command, hook: AzureMLHook, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name = command_job("import sys; print(50_000_000 * 'z'); print('the reason'); sys.exit(3)")
    with pytest.raises(errors.JobFailed) as caught:
        AzureMLWaitForJobOperator(task_id="wait", job_name=name).execute(context())
    assert len(str(caught.value)) <= ERROR + 40
    assert "the reason" in str(caught.value)
    assert max(map(len, capsys.readouterr().out.splitlines())) < LINE + 2000
