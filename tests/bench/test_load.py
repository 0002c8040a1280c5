"""The benchmark's figures are those of the latencies that it measured."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench.load import outcome
from tests.support.azureml_service import ROOT

HEAVY = ("pyarrow", "numpy", "azure", "airflow", "torch", "datasets", "cryptography", "trustme", "httpx")


def test_percentiles_are_of_the_ordered_latencies() -> None:
    told = outcome([number / 1000 for number in range(100, 0, -1)], failed=1, seconds=0.5)
    assert (told.sent, told.failed, told.rate) == (100, 1, 200)
    assert (told.p50, told.p99, told.most) == (51, 100, 100)


def test_a_load_without_requests_is_refused() -> None:
    with pytest.raises(ValueError, match="No request was sent"):
        outcome([], failed=0, seconds=1)


def test_a_start_imports_nothing_heavy() -> None:
    code = f"import sys, azureml_local.cli.serve;print([name for name in {HEAVY} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "include")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
