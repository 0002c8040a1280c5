"""The pytest plugin gives a stranger's tests a running service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.azureml_service import ROOT, running

ASKS = """
def test_the_fixture_gives_a_service(azureml_local):
    assert azureml_local.ml_client().workspaces.get("ws-local").location == "eastus"
    with azureml_local.faults({"kind": "status", "status": 503}), azureml_local.time("manual"):
        assert azureml_local.http.get("/_local/ready").is_success
    azureml_local.reset()
"""
POINTED_AT = """
import os

def test_the_environment_points_at_a_service():
    assert os.environ["AZURE_ML_WORKSPACE"] == "ws-local"
"""


def run(folder: Path, test: str, *options: str | Path) -> str:
    """Run pytest as a stranger who has installed the package; the end of its output."""
    (folder / "test_strange.py").write_text(test)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AZURE")}
    plugin = ["-p", "no:cacheprovider", "-p", "azureml_local.testing.plugin", "-W", "ignore"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugin, *options],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT / "include"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout[-2000:]


def test_a_test_that_asks_for_the_fixture_gets_a_service(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, ASKS)


def test_without_the_option_nothing_is_started(tmp_path: Path) -> None:
    assert "KeyError: 'AZURE_ML_WORKSPACE'" in run(tmp_path, POINTED_AT)


def test_the_option_points_every_test_at_a_service(tmp_path: Path) -> None:
    assert "1 passed" in run(tmp_path, POINTED_AT, "--azureml-local")


def test_a_service_that_runs_is_taken(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    asks = "def test_which(azureml_local): assert azureml_local.base_url == {!r}"
    with running(tmp_path / "home") as service:
        test = asks.format(service.base_url)
        assert "1 passed" in run(tmp_path / "tests", test, "--azureml-local-home", tmp_path / "home")
