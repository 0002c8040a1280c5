"""The fast tenth of ``make chaos``: each fault once."""

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

Rows = dict[str, dict[str, Any]]


def run(out: Path, *arguments: str) -> tuple[Rows, str]:
    """Rows by case, and what was printed."""
    command = [sys.executable, "-m", "tests.chaos", "--out", str(out), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert out.exists(), done.stdout + done.stderr
    rows = {f"{row['task']}.{row['fault']}.{row['mode']}": row for row in json.loads(out.read_text())}
    return rows, done.stdout


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rows, str]:
    """The rows by case, and what was printed.

    A run that ended otherwise than it should is run once more, beside the other such ones only: five runs side by
    side, with other tests beside them, meet time limits that have nothing to do with their faults. What leaks,
    doubles or tells a secret is never excused. What both tries said is printed.
    """
    folder = tmp_path_factory.mktemp("chaos")
    rows, printed = run(folder / "chaos.json", "--fast")
    if bad := [case.name for case in FAST if _may_be_late(rows.get(case.name))]:
        again, more = run(folder / "again.json", "--cases", ",".join(bad))
        rows, printed = rows | again, printed + more
    return rows, printed


def _may_be_late(row: dict[str, Any] | None) -> bool:
    if row is None:
        return True
    leaks = row["endpoints_left"] or row["secrets_found"] or row["trainings"] > 1 or row["models"] > 1
    return row["state"] != row["expected_state"] and not leaks


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("case", FAST, ids=lambda case: f"{case.fault} at {case.task} ({case.mode})")
def test_nothing_leaks_doubles_or_lies_after(case: cases.Case, chaos: tuple[Rows, str]) -> None:
    rows, printed = chaos
    assert case.name in rows, printed
    assert rows[case.name]["ok"], "\n".join(line for line in printed.splitlines() if case.name in line)


@pytest.mark.timeout(1800)
def test_no_secret_stands_in_the_metadata_database(chaos: tuple[Rows, str]) -> None:
    assert "a secret stands in" not in chaos[1]
