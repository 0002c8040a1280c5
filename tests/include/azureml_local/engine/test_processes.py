"""Processes of jobs and deployments: nothing of them outlives its keeper."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from azureml_local.engine import guard
from azureml_local.engine.processes import Process, tail
from tests.support.waiting import wait_for

ESCAPE = """\
import subprocess, time
subprocess.Popen(["setsid", "sleep", "300"])
print("up", flush=True)
time.sleep(300)
"""


def living(marker: str) -> list[str]:
    """Process ids whose working folder is the marker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                os.readlink(folder / "cwd") == marker
                and "Z" not in (folder / "stat").read_text().split(")")[1][:3]
            ):
                found.append(folder.name)
        except OSError:
            continue
    return found


def wait_until_gone(marker: str) -> None:
    """Return when no process is left in the folder."""
    wait_for(lambda: not living(marker), 10, f"processes are left in {marker}")


def test_stopping_ends_a_child_that_left_its_session(tmp_path: Path) -> None:
    async def run() -> None:
        log = tmp_path / "log.txt"
        process = await Process.start(
            [sys.executable, "-c", ESCAPE], folder=tmp_path, environment=dict(os.environ), log=log
        )
        while "up" not in tail(log, 5):
            await asyncio.sleep(0.05)
        assert len(living(str(tmp_path))) >= 3
        await process.stop()

    asyncio.run(run())
    wait_until_gone(str(tmp_path))


def test_the_exit_code_is_the_commands_own(tmp_path: Path) -> None:
    async def run(*command: str) -> int:
        process = await Process.start(
            command, folder=tmp_path, environment=dict(os.environ), log=tmp_path / "log.txt"
        )
        return await process.wait()

    assert asyncio.run(run(sys.executable, "-c", "raise SystemExit(7)")) == 7
    assert asyncio.run(run("no-such-program")) == 127
    assert "'no-such-program' could not be started" in tail(tmp_path / "log.txt", 3)


def test_a_tree_ends_when_its_lifeline_does(tmp_path: Path) -> None:
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, "1", sys.executable, "-c", ESCAPE],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    assert keeper.stdout.readline() == b"up\n"
    keeper.stdin.close()
    keeper.wait(10)
    wait_until_gone(str(tmp_path))
