"""A tiny model without knowledge, a way to run a step as the runner does, and a service of its own for serving."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from azureml_local.jobs import template
from azureml_local.sample import splits
from tests.support.compute_environment import COMPONENTS, COMPUTE, Ran, RunStep, run_command, run_compute

if TYPE_CHECKING:
    from tests.support.serving_service import Serving


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service whose compute environment is the tests' own."""
    from tests.support.serving_service import serving

    with serving(tmp_path_factory.mktemp("azureml"), sys.executable) as started:
        yield started


@pytest.fixture(scope="session")
def compute() -> None:
    """Skips where the compute environment was not made."""
    if not COMPUTE.exists():
        pytest.skip(f"The compute environment {COMPUTE} is missing: make it with make setup.")


@pytest.fixture(scope="session")
def tiny_model(compute: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Phi-3 of two narrow layers with random weights, made by the stand-in's own script."""
    out = tmp_path_factory.mktemp("model") / "tiny"
    made = run_compute("-m", "azureml_local.worker.standin", "--out", str(out), "--tiny", "--steps", "0")
    assert made.returncode == 0, made.stdout
    return out


@pytest.fixture(scope="session")
def run_step(compute: None) -> RunStep:
    """Runs a component by the command line of its YAML: ``run_step(name, inputs, outputs)``."""

    def run(name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Path], **environment: str) -> Ran:
        spec = yaml.safe_load((COMPONENTS / f"{name}.yaml").read_text())
        defaults = {key: declared.get("default") for key, declared in spec["inputs"].items()}
        given = {key: str(value) for key, value in {**defaults, **inputs}.items() if value is not None}
        values = {key: given.get(key) for key in {*defaults, *given}}
        argv = template.argv(spec["command"], values, dict(outputs))
        return run_command(argv, folder=(COMPONENTS / spec["code"]).resolve(), **environment)

    return run


@pytest.fixture(scope="session")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JSON Lines file of 20 sample conversations."""
    path = tmp_path_factory.mktemp("data") / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in splits.splits(seed=7)["train_sft"][:20]))
    return path
