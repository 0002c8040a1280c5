"""A launcher, shared by the tests of the stack and of its pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.launcher import processes
from tests.support.launcher import Launcher


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """A launcher; what it leaves running is ended."""
    launcher = Launcher(tmp_path_factory.mktemp("stack").resolve())
    yield launcher
    processes.end(launcher.paths.state, grace_seconds=2)


@pytest.fixture
def up(launcher: Launcher) -> tuple[Launcher, str]:
    """The launcher with its stack up, and what ``up`` printed."""
    code, out = launcher("up")
    assert code == 0, out
    return launcher, out
