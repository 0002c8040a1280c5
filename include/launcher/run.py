"""``make run``: one run of the Dag from nothing to its summary."""

from __future__ import annotations

import time

from rich.console import Console

from include.launcher import outcome, processes, progress, summary
from include.launcher.airflow_api import Json
from include.launcher.errors import LauncherError
from include.launcher.follow import follow, settle_old_runs, wait_for_dag
from include.launcher.paths import Paths
from include.launcher.request import Request
from include.launcher.stack import Say, Stack, up
from include.launcher.tasks import DAG_ID

LAUNCHER = "launcher"


def run(request: Request, paths: Paths, console: Console) -> int:
    """Run the Dag once.

    Returns:
        0 only if the run succeeded and its endpoint is gone.

    Raises:
        LauncherError: If the run could not be started, or another one is under way.
        KeyboardInterrupt: On Ctrl-C, after a message about what goes on.
    """

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    _take_turn(paths)
    stack = up(paths, say)
    try:
        code = _run(stack, request, console, say)
    except KeyboardInterrupt:
        say(
            "Stopped watching. The stack goes on, and with it a run that was started: "
            f"{stack.airflow.base_url} shows it ('make up' prints the password). 'make down' ends it all."
        )
        raise
    except BaseException:
        # Also on SIGTERM, which arrives as SystemExit.
        stack.stop_own()
        raise
    if stack.started:
        say("Stopping what this run started ('make up' keeps it running, with the UI)")
        stack.stop_own()
    return code


def _take_turn(paths: Paths) -> None:
    """Record this process for ``make down``; refuse if another ``make run`` is under way."""
    other = processes.read_records(paths.records).get(LAUNCHER)
    if other is not None and processes.is_alive(other):
        raise LauncherError(
            f"Another 'make run' is under way (process {other.pid}): let it end, or 'make down' ends it."
        )
    processes.record_caller(LAUNCHER, paths.records)


def _run(stack: Stack, request: Request, console: Console, say: Say) -> int:
    wait_for_dag(stack)
    settle_old_runs(stack, say)
    _prepare(stack, request, say)
    conf = request.conf()
    began = time.monotonic()
    run_id = stack.airflow.trigger(DAG_ID, conf, "started by make run")
    say(f"Triggered {DAG_ID}, run {run_id}" + (f", with {conf}" if conf else ""))
    try:
        with progress.choose(console) as shown:
            ended = follow(stack, run_id, shown)
    finally:
        if request.fault:
            stack.azureml.clear_faults()
    done = outcome.gather(stack, run_id, ended["state"], time.monotonic() - began)
    outcome.write(done, stack.paths.last_run)
    summary.show(console, stack, done)
    _show_failures(stack, run_id, done, say)
    if request.fault and done["state"] == "success":
        say(f"FAIL={request.fault.task_id} had no effect: the run did not meet the fault.")
    return 0 if outcome.succeeded(done) else 1


def _prepare(stack: Stack, request: Request, say: Say) -> None:
    if stack.azureml.clear_faults():
        say("Disarmed faults that were left from before")
    if request.dataset and request.dataset.folder:
        served = stack.azureml.register_dataset(request.dataset.repo_id, request.dataset.folder)
        splits = ", ".join(f"{split} {count}" for split, count in served["rows"].items())
        say(f"The local Hub serves {request.dataset.folder} as {request.dataset.repo_id}: {splits}")
        if others := served.get("passed_over"):
            say(f"Passed over, for their names are not those of a split: {', '.join(others)}")
    if request.fault:
        say(f"FAIL={request.fault.task_id}: {request.fault.story}")
        stack.azureml.add_faults(request.fault.faults)


def _show_failures(stack: Stack, run_id: str, done: Json, say: Say) -> None:
    if done["state"] == "success":
        return
    for task_id, sentence, log in outcome.failures(stack, run_id):
        say(f"\nTask {task_id} failed. {sentence}\n  its log: {log}")
