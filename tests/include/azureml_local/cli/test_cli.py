"""The command azureml-local: starts the service, points a shell at it, ends it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azureml_local.cli.instance import Instance
from tests.support.azureml_service import ROOT, read_environment

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    """Runs the command in a folder of its own; ends the service there in the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AZUREML_LOCAL")}

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "azureml_local", *arguments],
            cwd=tmp_path,
            env={**clean, "PYTHONPATH": str(ROOT / "include"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    run("down")


@pytest.fixture
def home(command: Command, tmp_path: Path) -> Path:
    """The home of a service that runs in the background."""
    done = command("up", "--detach", "--port", "0", "--time", "manual")
    assert done.returncode == 0, done.stderr
    return tmp_path / ".azureml-local"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_home_is_below_the_current_folder_and_private(home: Path) -> None:
    assert mode(home) == 0o700
    assert mode(home / "azure.env") == 0o600
    assert (home / ".gitignore").read_text() == "*\n"


def test_env_prints_what_a_shell_can_take(command: Command, home: Path) -> None:
    lines = command("env").stdout
    shell = subprocess.run(
        ["sh", "-c", 'eval "$LINES" && env'], env={"LINES": lines}, capture_output=True, text=True, check=True
    )
    expected = {f"{name}={value}" for name, value in read_environment(home).items()}
    assert expected <= set(shell.stdout.splitlines())


def test_a_second_up_leaves_the_service_that_runs(command: Command, home: Path) -> None:
    before = Instance(home).read()
    again = command("up", "--detach")
    assert (again.returncode, Instance(home).read()) == (0, before)
    assert f"runs at {home} already" in again.stdout
    assert command("up").returncode == 1


def test_down_ends_it_and_a_second_down_says_that_there_is_none(command: Command, home: Path) -> None:
    assert command("down").returncode == 0
    assert Instance(home).read() is None
    again = command("down")
    assert (again.returncode, again.stdout) == (1, "")
    assert f"No local Azure ML runs at {home}" in again.stderr


def test_a_service_that_was_killed_does_not_count_as_one_that_runs(command: Command, home: Path) -> None:
    record = Instance(home).read()
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    assert command("up", "--detach", "--port", "0").returncode == 0


def test_two_services_cannot_have_one_home(tmp_path: Path) -> None:
    first = Instance(tmp_path / "home")
    first.claim("https://localhost:1")
    with pytest.raises(RuntimeError, match="Another local Azure ML runs at"):
        Instance(tmp_path / "home").claim("https://localhost:2")
    assert first.read() == (os.getpid(), "https://localhost:1")


def test_a_port_that_is_none_is_refused_with_a_sentence(command: Command) -> None:
    done = command("up", AZUREML_LOCAL_PORT="none")
    assert (done.returncode, done.stderr) == (
        2,
        "AZUREML_LOCAL_PORT is 'none': give a port number from 1 to 65535.\n",
    )


def test_a_start_that_fails_shows_the_end_of_its_log(command: Command) -> None:
    done = command("up", "--detach", "--port", "0", "--time", "sometimes")
    assert done.returncode != 0
    assert "sometimes" in done.stderr
