"""``python -m tests.conformance``: the SDK's own end-to-end tests against the local Azure ML; what passes, what not."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.conformance import distribution, report
from tests.support.azureml_service import ROOT, AzureMLLocal, running

GROUPS: Final = (
    "datastore",
    "compute",
    "environment",
    "online_services",
    "model",
    "dataset",
    "code_asset",
    "component",
)
PLUGINS: Final = ("pytest_mock", "pytest_timeout", "tests.conformance.plugin", "no:cacheprovider")
WORK: Final = ROOT / ".local" / "conformance"
COMPUTE: Final = ROOT / ".venv-compute" / "bin" / "python"
CURATED: Final = "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"


def furnish(service: AzureMLLocal) -> None:
    """Make what the tests take for granted in their workspace: a cluster, and the environment that they name."""
    scale = {"minNodeCount": 0, "maxNodeCount": 2}
    cluster = {"vmSize": "Standard_DS3_v2", "scaleSettings": scale}
    body = {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": cluster}}
    service.arm("PUT", "/computes/cpu-cluster", json=body).raise_for_status()
    for version in ("1", "33"):
        image = {"properties": {"image": "docker.io/library/python:3.11"}}
        service.arm("PUT", f"/environments/{CURATED}/versions/{version}", json=image).raise_for_status()


def run(root: Path, tools: Path, results: Path, arguments: list[str]) -> None:
    """Run the tests in an interpreter of their own; the results are JUnit's."""
    (root / "pytest.ini").write_text("[pytest]\n")
    environment = dict(os.environ) | {
        "PYTHONPATH": os.pathsep.join(str(path) for path in (ROOT, ROOT / "include", tools)),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    plugins = [
        f"-p{name}"
        for name in ("pytest_mock", "pytest_timeout", "tests.conformance.plugin", "no:cacheprovider")
    ]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=short",
        *plugins,
        f"--junitxml={results}",
        *arguments,
    ]
    subprocess.run(command, cwd=root, env=environment, check=False)


def main() -> int:
    """Run them, print the outcome and write ``.local/conformance.json``; the exit code is 1 below the aim."""
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument("--groups", nargs="+", default=GROUPS, choices=GROUPS, help="folders of the tests")
    parser.add_argument("-k", default="", help="only tests whose names fit this expression")
    chosen = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    root, tools = distribution.unpacked(WORK), distribution.tools(WORK)
    compute = {"AZUREML_LOCAL_COMPUTE_PYTHON": str(COMPUTE)} if COMPUTE.exists() else {}
    results = WORK / "junit.xml"
    with (
        tempfile.TemporaryDirectory(prefix="conformance-") as home,
        running(Path(home), 0, **compute) as service,
    ):
        furnish(service)
        folders = [f"tests/{group}/e2etests" for group in chosen.groups]
        run(root, tools, results, [*folders, *(["-k", chosen.k] if chosen.k else [])])
    return report.write(report.read(results), ROOT / ".local" / "conformance.json")


if __name__ == "__main__":
    sys.exit(main())
