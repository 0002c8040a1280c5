"""Waiting for a job: each line once, two budgets, deferral that comes back, and what a stumbling service does."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferralError, TaskDeferred

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook.jobs import logs
from azure_ml.hook.jobs.logs import LogOffsets
from azure_ml.operators import AzureMLWaitForJobOperator
from azure_ml.triggers.event import Event
from azure_ml.triggers.jobs import JobTrigger
from tests.support.airflow_task import deferred, event_of
from tests.support.azureml_service import AzureMLLocal

pytestmark = pytest.mark.shares("trained_job")

Command = Callable[..., str]
TALK = (
    "import os, time; [print('line', n) for n in range(10)]; "
    "[time.sleep(0.02) for _ in iter(lambda: os.path.exists('{go}'), True)]; "
    "[print('line', n) for n in range(10, 20)]"
)
"""Ten lines, and ten more once a file is there."""
SLEEP = "import time; time.sleep(600)"


def operator(name: str, **arguments: Any) -> AzureMLWaitForJobOperator:
    return AzureMLWaitForJobOperator(task_id="wait", job_name=name, **arguments)


def shown_lines(captured: pytest.CaptureFixture[str]) -> list[str]:
    return re.findall(r"\] (line \d+)\s", captured.readouterr().out)


@pytest.fixture
def go(tmp_path: Path) -> Path:
    """The file for which a talking job waits."""
    return tmp_path / "go"


@pytest.fixture
def talk(command_job: Command, go: Path) -> str:
    """A job that talks."""
    return command_job(TALK.format(go=go))


def numbered(count: int) -> list[str]:
    return [f"line {number}" for number in range(count)]


def test_a_deferred_wait_shows_each_line_once_however_often_it_comes_back(
    talk: str, go: Path, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    there = context()
    arguments = {"deferrable": True, "poll_seconds": 0.2, "log_every_seconds": 0.5}
    waits = deferred(lambda: operator(talk, **arguments).execute(there))
    while len(there["task_state_store"].get("log", {}).get("offsets", {})) == 0:
        event = event_of(waits.trigger)
        assert event["outcome"] == "progress"
        # Each time another process: nothing is left but what was noted.
        again = operator(talk, **arguments)
        waits = deferred(lambda: again.execute_complete(there, event))  # noqa: B023
    go.touch()
    done = None
    while done is None:
        event = event_of(waits.trigger)
        try:
            done = operator(talk, **arguments).execute_complete(there, event)
        except TaskDeferred as more:
            waits = more
    assert done == {"job_name": talk, "status": "Completed"}
    assert shown_lines(capsys) == numbered(20)


def test_a_retry_on_a_worker_shows_only_the_lines_that_the_first_try_did_not(
    talk: str,
    go: Path,
    context: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = context()
    first = operator(talk)

    def dies(*_: Any) -> None:
        if there["task_state_store"].get("log", {}).get("offsets"):
            raise errors.Killed("the process is gone")

    monkeypatch.setattr(first, "_watch", dies)
    with pytest.raises(errors.Killed):
        first.execute(there)
    before = shown_lines(capsys)
    go.touch()
    assert operator(talk).execute(there)["status"] == "Completed"
    assert 0 < len(before) <= 10
    assert before + shown_lines(capsys) == numbered(20)


def test_a_crash_repeats_at_most_what_was_not_noted(
    hook: AzureMLHook, trained_job: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "CHUNK_BYTES", 200)
    whole: list[str] = []
    hook.logs.pump(trained_job[0], whole.append)
    lines: list[str] = []
    saved: dict[str, Any] = {}

    def emit(line: str) -> None:
        lines.append(line)
        if len(lines) % 7 == 0:
            raise errors.Killed("the process is gone")

    while True:
        try:
            offsets = LogOffsets.load(trained_job[0], saved)
            hook.logs.pump(
                trained_job[0], emit, offsets=offsets, save=lambda known: saved.update(known.as_dict())
            )
            break
        except errors.Killed:
            continue
    assert list(dict.fromkeys(lines)) == list(dict.fromkeys(whole))


def test_a_log_in_chunks_has_the_same_lines(
    hook: AzureMLHook, trained_job: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[str] = []
    hook.logs.pump(trained_job[0], whole.append)
    monkeypatch.setattr(logs, "CHUNK_BYTES", 1000)
    chunks: list[str] = []
    hook.logs.pump(trained_job[0], chunks.append)
    assert chunks == whole


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_job_that_runs_too_long_is_canceled_and_has_ended_before_the_error(
    command_job: Command, hook: AzureMLHook, context: Any, deferrable: bool
) -> None:
    name = command_job(SLEEP)
    while hook.jobs.status(name) != "Running":
        pass
    with pytest.raises(errors.JobRanTooLong, match="run_timeout is 0:00:00"):
        operator(name, deferrable=deferrable, run_timeout=timedelta(microseconds=1)).execute(context())
    assert hook.jobs.status(name) == "Canceled"


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_job_that_waits_too_long_for_a_node_is_canceled(
    command_job: Command, hook: AzureMLHook, context: Any, deferrable: bool
) -> None:
    holder = command_job(SLEEP)
    name = command_job(SLEEP, compute=f"c{holder[-10:]}")
    with pytest.raises(errors.JobQueuedTooLong, match="queue_timeout is 0:00:00"):
        operator(name, deferrable=deferrable, queue_timeout=timedelta(microseconds=1)).execute(context())
    assert hook.jobs.status(name) == "Canceled"
    assert hook.jobs.status(holder) != "Canceled"


def test_the_heartbeat_says_what_is_left_of_both_budgets(
    command_job: Command, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name = command_job("print('done')")
    operator(name, queue_timeout="2", run_timeout="3.5").execute(context())
    said = capsys.readouterr().out
    assert re.search(rf"Job {name} is \w+: 0:00:\d\d in the queue \((2:00:00|1:59:\d\d) left\)", said)
    assert re.search(r"0:00:\d\d running \(3:(30:00|29:\d\d) left\)", said)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "1e300"])
def test_a_budget_that_is_no_time_is_refused(value: str, command_job: Command, context: Any) -> None:
    name = command_job(SLEEP)
    with pytest.raises(errors.BadInput, match="run_timeout is"):
        operator(name, run_timeout=value, deferrable=True).execute(context())


@pytest.mark.parametrize(("setting", "defers"), [("True", True), ("False", False)])
def test_whether_to_defer_comes_from_airflows_configuration(
    command_job: Command, context: Any, monkeypatch: pytest.MonkeyPatch, setting: str, defers: bool
) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", setting)
    name = command_job("import time; time.sleep(3)")
    waiting = operator(name, deferrable="None")
    if defers:
        assert isinstance(deferred(lambda: waiting.execute(context())).trigger, JobTrigger)
    else:
        assert waiting.execute(context())["status"] == "Completed"


def test_a_trigger_carries_ids_and_moments_only(command_job: Command, context: Any) -> None:
    name, there = command_job(SLEEP), context()
    before = time.time()
    waits = deferred(lambda: operator(name, deferrable=True, run_timeout=1, queue_timeout=1).execute(there))
    carried = waits.trigger.serialize()[1]
    assert set(carried) == {"job_name", "azure_ml_conn_id", "poll_seconds", "deadline", "wake_at"}
    assert before + 3000 < carried["deadline"] <= time.time() + 3600
    assert before + 290 < carried["wake_at"] <= time.time() + 300
    assert there["ti"].pushed["studio_url"]


def test_a_deadline_is_a_moment_that_a_restarted_triggerer_keeps(
    connection: Any, command_job: Command
) -> None:
    name = command_job(SLEEP)
    _, carried = JobTrigger(name, "azure_ml_default", 30, deadline=time.time() - 1).serialize()
    assert event_of(JobTrigger(**carried))["outcome"] == "deadline"


def test_a_trigger_that_timed_out_goes_on_unless_the_budget_is_over(
    command_job: Command, hook: AzureMLHook, context: Any
) -> None:
    name, there, failed = command_job(SLEEP), context(), {"error": "Trigger timeout"}
    deferred(lambda: operator(name, deferrable=True).execute(there))
    deferred(lambda: operator(name, deferrable=True).resume_execution("__fail__", failed, there))
    assert hook.jobs.status(name) not in ("Canceled", "CancelRequested")
    over = operator(name, deferrable=True, run_timeout=1e-9, queue_timeout=1e-9)
    with pytest.raises(errors.JobOverBudget):
        over.resume_execution("__fail__", failed, there)
    assert hook.jobs.status(name) == "Canceled"


def test_a_trigger_that_broke_leaves_the_job_for_the_retry(
    command_job: Command, hook: AzureMLHook, context: Any
) -> None:
    name, there = command_job(SLEEP), context()
    deferred(lambda: operator(name, deferrable=True).execute(there))
    with pytest.raises(TaskDeferralError):
        operator(name).resume_execution("__fail__", {"error": "Trigger failure"}, there)
    assert hook.jobs.status(name) not in ("Canceled", "CancelRequested")


def test_an_error_of_the_trigger_keeps_its_kind(connection: Any, context: Any) -> None:
    event = Event("error", "x", error="the workspace is gone", kind="NotFound").to_json()
    with pytest.raises(errors.NotFound, match="the workspace is gone"):
        operator("x").execute_complete(context(), event)


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_job_that_stops_responding_is_canceled_and_not_paid_for_again(
    azureml_local: AzureMLLocal,
    command_job: Command,
    hook: AzureMLHook,
    context: Any,
    owner: dict[str, str],
    deferrable: bool,
) -> None:
    with azureml_local.faults({"kind": "job_status", "job_state": "NotResponding"}):
        name = command_job(SLEEP)
        with pytest.raises(errors.JobNotResponding) as caught:
            operator(name, deferrable=deferrable).execute(context())
    assert isinstance(caught.value, errors.NoRetry)
    assert hook.jobs.end(name, owner, 60) == "Canceled"


@pytest.mark.parametrize(("lifetime", "looks"), [(3600, 1), (4, 6)])
def test_a_token_that_ends_while_the_log_is_streamed_is_renewed(
    azureml_local: AzureMLLocal,
    hook: AzureMLHook,
    talk: str,
    go: Path,
    context: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    lifetime: int,
    looks: int,
) -> None:
    waiting, seen = operator(talk), iter(range(1, 1000))

    def revokes(*_: Any) -> None:
        look = next(seen)
        if look == 1:
            azureml_local.post("/_local/tokens", {"lifetime": lifetime, "revoke": True})
        if look == looks:
            go.touch()

    monkeypatch.setattr(waiting, "_watch", revokes)
    try:
        assert waiting.execute(context())["status"] == "Completed"
    finally:
        azureml_local.post("/_local/tokens", {"lifetime": 3600, "revoke": True})
        hook.reauthenticate()  # It is shared with the tests of other files.
    assert shown_lines(capsys) == numbered(20)


def test_a_token_that_ends_while_the_triggerer_waits_is_renewed(
    azureml_local: AzureMLLocal, hook: AzureMLHook, talk: str, go: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = JobTrigger(talk, "azure_ml_default", 0.1)
    pause = trigger._pause

    def revokes() -> float:
        if not go.exists():
            go.touch()
            azureml_local.post("/_local/tokens", {"lifetime": 3600, "revoke": True})
        return pause()

    monkeypatch.setattr(trigger, "_pause", revokes)
    assert event_of(trigger)["state"] == "Completed"
    hook.reauthenticate()


def test_a_service_that_is_away_for_a_while_is_waited_for(
    azureml_local: AzureMLLocal, talk: str, go: Path, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    go.touch()
    with azureml_local.faults(
        {"kind": "status", "path": "*/history/*", "status": 409, "code": "Busy", "count": 6},
        {"kind": "reset", "path": f"*/jobs/{talk}", "count": 2},
    ):
        assert operator(talk).execute(context())["status"] == "Completed"
    assert shown_lines(capsys) == numbered(20)
