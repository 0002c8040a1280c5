"""The real stack: Airflow's processes and the local Azure ML come up, run the Dag, and go without a trace."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from include.launcher import commands, environment, processes
from tests.support.azureml_service import free_port
from tests.support.launcher import Launcher

pytestmark = [pytest.mark.shares("launcher"), pytest.mark.timeout(600)]
SERVICES = {"azureml-local", *commands.AIRFLOW}


def test_up_leaves_everything_running_and_tells_the_way_in(up: tuple[Launcher, str]) -> None:
    launcher, out = up
    port = processes.read_records(launcher.paths.records)["api-server"].port
    password = environment.load_secrets(launcher.paths)["password"]
    assert launcher.running() == SERVICES
    assert f"http://localhost:{port}  user: admin  password: {password}" in out
    answer = httpx.post(
        f"http://localhost:{port}/auth/token", json={"username": "admin", "password": password}
    )
    assert answer.is_success


def test_a_second_up_reuses_what_runs(up: tuple[Launcher, str]) -> None:
    launcher, _ = up
    before = processes.read_records(launcher.paths.records)
    code, out = launcher("up")
    assert (code, out.count("(ran already)")) == (0, 2)
    assert processes.read_records(launcher.paths.records) == before


def test_up_brings_back_the_one_process_that_is_missing(up: tuple[Launcher, str]) -> None:
    launcher, _ = up
    before = processes.read_records(launcher.paths.records)
    processes.end(launcher.paths.state, names=frozenset({"triggerer"}))
    assert launcher.running() == SERVICES - {"triggerer"}
    code, _ = launcher("up")
    after = processes.read_records(launcher.paths.records)
    assert code == 0
    assert {name for name in SERVICES if after[name] != before[name]} == {"triggerer"}


def test_airflow_is_started_again_when_the_local_azure_ml_moved(up: tuple[Launcher, str]) -> None:
    launcher, _ = up
    before = processes.read_records(launcher.paths.records)
    processes.end(launcher.paths.state, names=frozenset({"azureml-local"}))
    with socket.create_server(("127.0.0.1", before["azureml-local"].port)):
        code, out = launcher("up")
    after = processes.read_records(launcher.paths.records)
    assert code == 0, out
    assert "is taken; taking" in out
    assert all(after[name] != before[name] for name in SERVICES)


def test_nothing_of_the_stack_listens_beyond_this_machine(up: tuple[Launcher, str]) -> None:
    launcher, _ = up
    pids = processes.everything_of(launcher.paths.state)
    sockets = {os.readlink(fd) for pid in pids for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                listening.add(fields[1].split(":")[0])
    assert listening == {"0100007F"}


def test_no_secret_is_in_a_log(up: tuple[Launcher, str]) -> None:
    launcher, _ = up
    secrets = environment.load_secrets(launcher.paths).values()
    for log in launcher.paths.logs.iterdir():
        text = log.read_text(errors="replace")
        assert not any(secret in text for secret in secrets), log


def test_a_run_that_is_made_to_fail_ends_red_and_leaves_the_stack_as_it_was(up: tuple[Launcher, str]) -> None:
    launcher, _ = up
    code, out = launcher("run", "--fail", "validate_compute")
    done = json.loads(launcher.paths.last_run.read_text())
    states = {task["task_id"]: task["state"] for task in done["tasks"]}
    assert code == 1, out
    assert done["state"] == "failed"
    assert done["endpoint"]["exists_after"] is False
    assert (states["validate_compute"], states["submit_job"]) == ("failed", "upstream_failed")
    assert (states["delete_endpoint"], states["verdict"]) == ("success", "failed")
    assert "Task validate_compute failed." in out
    assert launcher.running() == SERVICES


def test_ctrl_c_stops_the_watching_and_says_what_goes_on(up: tuple[Launcher, str]) -> None:
    launcher, _ = up
    process = launcher.start("run", "--fail", "check_endpoint")
    _until_printed(process, "connect")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate()
    assert process.returncode == 130, out
    assert "The stack goes on" in out
    assert "make down" in out
    assert launcher.running() == SERVICES


def test_a_run_cut_off_by_a_kill_is_ended_by_down_and_by_the_next_run(up: tuple[Launcher, str]) -> None:
    launcher, _ = up
    process = launcher.start("run")
    _until_printed(process, "choose_model")
    process.kill()
    process.communicate()
    code, out = launcher("down")
    assert code == 0
    assert processes.everything_of(launcher.paths.state) == set()
    assert launcher("down") == (0, "Nothing was running.\n")

    code, out = launcher("run", "--fail", "connect")
    assert "An earlier run was cut off" in out
    assert code == 1
    assert processes.everything_of(launcher.paths.state) == set(), "run has to end what it started"


def test_a_second_run_at_the_same_time_is_refused(launcher: Launcher) -> None:
    seen = processes.stat(os.getpid())
    assert seen is not None
    processes.write_record(
        launcher.paths.records, processes.Record("launcher", os.getpid(), 0, seen.started, 0, "")
    )
    try:
        code, out = launcher("run")
    finally:
        (launcher.paths.records / "launcher.json").unlink()
    assert code == 1
    assert out.startswith("Another 'make run' is under way")


def test_a_port_that_is_taken_gives_way_to_the_next(launcher: Launcher) -> None:
    from include.launcher import stack

    said: list[str] = []
    port = free_port()
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", port)):
        patch.setenv("AIRFLOW_PORT", str(port))
        assert stack._free_port("AIRFLOW_PORT", 8080, said.append) > port
    assert said[0].startswith(f"Port {port} is taken; taking ")


def test_a_port_that_is_none_is_refused(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    from include.launcher import stack
    from include.launcher.errors import StartError

    monkeypatch.setenv("AIRFLOW_PORT", "http")
    with pytest.raises(StartError, match="AIRFLOW_PORT is 'http': give a port number"):
        stack._free_port("AIRFLOW_PORT", 8080, print)


def _until_printed(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    deadline = time.monotonic() + 200
    for line in process.stdout:
        if word in line:
            return
        assert time.monotonic() < deadline
    raise AssertionError(f"it ended before it printed {word!r}")
