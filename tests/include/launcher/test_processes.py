"""Processes are found again and ended, whoever started them died, and nobody else's are touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from include.launcher import processes
from include.launcher.processes import MARKER, Record
from tests.support.azureml_service import ROOT

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)",
]
PARENT_OF_A_SESSION = [
    sys.executable,
    "-c",
    "import subprocess, sys, time;"
    f"print(subprocess.Popen({SLEEP!r}, start_new_session=True, env={{}}).pid, flush=True); time.sleep(600)",
]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Path]:
    """A stack's folder; whatever a test leaves there is ended."""
    yield tmp_path
    processes.end(tmp_path, grace_seconds=0)


def start(local: Path, name: str, command: list[str], **environment: str) -> Record:
    """A process of the stack, unmarked unless the test marks it."""
    log = local / "logs" / f"{name}.log"
    return processes.start(name, command, {**os.environ, **environment}, log, local / "run", ROOT)


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def said(local: Path, name: str) -> str:
    """What the process printed, once it has printed something."""
    log = local / "logs" / f"{name}.log"
    until(lambda: log.read_text().strip())
    return log.read_text().strip()


def test_a_started_process_is_alive_until_it_is_ended(local: Path) -> None:
    record = start(local, "sleeper", SLEEP)
    assert processes.is_alive(record)
    assert processes.end(local) == ["sleeper"]
    assert not processes.is_alive(record)
    assert processes.read_records(local / "run") == {}


def test_ending_twice_does_nothing_the_second_time(local: Path) -> None:
    start(local, "sleeper", SLEEP)
    processes.end(local)
    assert processes.end(local) == []


def test_a_process_that_does_not_listen_is_killed(local: Path) -> None:
    record = start(local, "deaf", DEAF)
    said(local, "deaf")
    processes.end(local, grace_seconds=0.2)
    assert not processes.is_alive(record)


def test_a_child_in_a_session_of_its_own_is_ended_with_its_parent(local: Path) -> None:
    start(local, "parent", PARENT_OF_A_SESSION)
    child = int(said(local, "parent"))
    processes.end(local)
    until(lambda: processes.stat(child) is None)


def test_a_child_whose_parent_was_killed_is_found_by_its_session(local: Path) -> None:
    command = [
        sys.executable,
        "-c",
        f"import subprocess; p = subprocess.Popen({SLEEP!r}, env={{}}); print(p.pid, flush=True); p.wait()",
    ]
    parent = start(local, "parent", command)
    child = int(said(local, "parent"))
    os.kill(parent.pid, signal.SIGKILL)
    until(lambda: not processes.is_alive(parent))
    assert processes.stat(child) is not None
    processes.end(local)
    until(lambda: processes.stat(child) is None)


def test_a_marked_process_is_found_without_any_record(local: Path) -> None:
    process = subprocess.Popen(SLEEP, env={**os.environ, MARKER: str(local)}, start_new_session=True)
    until(lambda: process.pid in processes.everything_of(local))
    processes.end(local)
    until(lambda: processes.stat(process.pid) is None)
    process.wait()


def test_a_job_that_lost_its_service_is_found_by_where_it_works(local: Path) -> None:
    folder = local / "azureml" / "jobs" / "one"
    folder.mkdir(parents=True)
    process = subprocess.Popen(SLEEP, env={}, cwd=folder, start_new_session=True)
    until(lambda: process.pid in processes.everything_of(local))
    processes.end(local)
    until(lambda: processes.stat(process.pid) is None)
    process.wait()


def test_another_stacks_process_is_left_alone(local: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = subprocess.Popen(
        SLEEP, env={**os.environ, MARKER: str(tmp_path_factory.mktemp("other"))}, start_new_session=True
    )
    try:
        processes.end(local)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_process_that_took_over_a_recorded_pid_is_left_alone(local: Path) -> None:
    stranger = subprocess.Popen(SLEEP, start_new_session=True)
    try:
        seen = processes.stat(stranger.pid)
        assert seen is not None
        stale = Record("scheduler", stranger.pid, stranger.pid, seen.started - 1, 0, "")
        processes.write_record(local / "run", stale)
        assert processes.end(local) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_only_the_named_services_are_ended(local: Path) -> None:
    keep, go = start(local, "keep", SLEEP), start(local, "go", SLEEP)
    processes.end(local, names=frozenset({"go"}))
    assert processes.is_alive(keep)
    assert not processes.is_alive(go)
    assert set(processes.read_records(local / "run")) == {"keep"}


def test_the_callers_own_session_is_not_taken_for_the_stacks(local: Path) -> None:
    record = processes.record_caller("launcher", local / "run")
    assert record.sid == 0
    assert processes.everything_of(local).isdisjoint({os.getpid(), os.getppid()})


def test_what_else_the_recorded_caller_has_started_is_left_alone(local: Path) -> None:
    processes.record_caller("launcher", local / "run")
    mine = subprocess.Popen(SLEEP)
    try:
        assert processes.everything_of(local) == set()
    finally:
        mine.kill()
        mine.wait()


def test_a_file_that_is_no_record_is_passed_over(local: Path) -> None:
    (local / "run").mkdir()
    (local / "run" / "broken.json").write_text("{")
    (local / "run" / "other.json").write_text(json.dumps({"pid": 1}))
    assert processes.read_records(local / "run") == {}


def test_a_dead_process_is_not_alive_though_nobody_has_collected_it(local: Path) -> None:
    record = start(local, "short", [sys.executable, "-c", ""])
    until(lambda: not processes.is_alive(record))
    assert not processes.is_alive(replace(record, started=record.started + 1))


def test_down_needs_no_more_than_the_standard_library(local: Path) -> None:
    start(local, "sleeper", SLEEP)
    bare = [sys.executable, "-S", "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r});"]
    bare[-1] += "from include.launcher.cli import main; sys.exit(main(['down']))"
    done = subprocess.run(
        bare, env={"FINETUNE_LOCAL": str(local)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "Ended: sleeper.\n", "")
