"""The Makefile: few targets, each explained; each of its commands is one that exists."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.support.azureml_service import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make in the project without what an outer make hands down."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env={**env, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_targets_are_explained_on_one_screen() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.MULTILINE)
    assert phony is not None
    targets = set(phony[1].split())
    assert set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, flags=re.MULTILINE)) == targets
    assert len(make("help").stdout.splitlines()) <= 24


def test_help_lists_every_target_and_every_variable_of_run() -> None:
    out = make("help").stdout
    for word in (
        "run",
        "up",
        "down",
        "test",
        "figures",
        "lint",
        "azureml-local",
        "DATASET",
        "SPLIT_PC",
        "MODEL",
        "EPOCHS",
        "FAIL",
    ):
        assert word in out


def test_a_python_that_is_not_there_gives_a_sentence(tmp_path: Path) -> None:
    done = make("-o", "requirements.txt", f"{tmp_path}/x", f"PYTHON={tmp_path}/none")
    assert done.returncode != 0
    rule = MAKEFILE.split("define new_environment")[1].split("endef")[0]
    assert "install Python 3.11, or name one with make PYTHON=" in rule


def test_a_value_is_handed_to_the_launcher_as_it_was_typed() -> None:
    out = make("--dry-run", "run", "DATASET=./it's; here", "SPLIT_PC=5").stdout
    assert "DATASET='./it'\\''s; here'" in out
    assert "--split-pc '5'" in out


def test_ci_makes_both_environments_side_by_side_and_runs_lint_and_tests() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.findall(r"^make (\w+)$", script.read_text(), flags=re.MULTILINE) == ["setup", "lint", "test"]
