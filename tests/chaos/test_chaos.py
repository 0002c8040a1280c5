"""A tenth of ``make chaos``: each fault once, on one stack, and one test for each case."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import cases

ROOT = Path(__file__).resolve().parents[2]
FAST = [case for case in cases.load() if case.fast]


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, Any]], str]:
    """The rows by case, and what was printed."""
    out = tmp_path_factory.mktemp("chaos") / "chaos.json"
    command = [sys.executable, "-m", "tests.chaos", "--fast", "--stacks", "1", "--out", str(out)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert out.exists(), run.stdout + run.stderr
    rows = {f"{row['task']}.{row['fault']}.{row['mode']}": row for row in json.loads(out.read_text())}
    return rows, run.stdout


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("case", FAST, ids=lambda case: f"{case.fault} at {case.task} ({case.mode})")
def test_nothing_leaks_doubles_or_lies_after(
    case: cases.Case, chaos: tuple[dict[str, dict[str, Any]], str]
) -> None:
    rows, printed = chaos
    assert case.name in rows, printed
    assert rows[case.name]["ok"], "\n".join(line for line in printed.splitlines() if case.name in line)


@pytest.mark.timeout(1200)
def test_no_secret_stands_in_the_metadata_database(
    chaos: tuple[dict[str, dict[str, Any]], str],
) -> None:
    assert "a secret stands in" not in chaos[1]
