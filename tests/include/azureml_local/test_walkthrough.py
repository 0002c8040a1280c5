"""The whole walkthrough as a plain SDK script that knows nothing of this project but the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.azureml_service import (
    ROOT,
    free_port,
    read_environment,
    start_azureml_local,
    stop_azureml_local,
)
from tests.support.conversations import conversation

PYTHON = ROOT / ".venv-compute" / "bin" / "python"
STEPS = [
    "ft_nlp_common_validation",
    "chat_completion_model_import",
    "chat_completion_datapreprocess",
    "chat_completion_finetune",
    "ft_nlp_model_converter",
]

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="the compute environment is not made")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A user's folder with data and ``config.json``; the service's base model is two untrained layers."""
    home, standin, folder = tmp_path / "azureml", tmp_path / "standin", tmp_path / "user"
    make = [
        str(PYTHON),
        "-m",
        "azureml_local.worker.standin",
        "--out",
        str(standin),
        "--tiny",
        "--steps",
        "0",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    subprocess.run(make, env=environment, check=True, capture_output=True)
    process = start_azureml_local(
        home, free_port(), AZUREML_LOCAL_STANDIN=str(standin), AZUREML_LOCAL_TIME="timed"
    )
    try:
        folder.mkdir()
        for name, numbers in (("train", range(24)), ("test", range(24, 30))):
            rows = "".join(json.dumps(conversation(number)) + "\n" for number in numbers)
            (folder / f"{name}.jsonl").write_text(rows)
        (folder / "config.json").write_bytes((home / "config.json").read_bytes())
        yield folder
    finally:
        stop_azureml_local(process)


def test_the_walkthrough_runs_from_top_to_bottom(folder: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        **read_environment(folder.parent / "azureml"),
    }
    script = ROOT / "tests" / "support" / "walkthrough.py"
    done = subprocess.run(
        [sys.executable, script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads(done.stdout.strip().splitlines()[-1].lstrip("."))
    assert told["steps"] == STEPS
    assert told["metrics"]["eval_loss"] < told["metrics"]["base_eval_loss"]
    assert told["model"].endswith(tuple("0123456789"))
    assert "Phi-3-mini-4k-instruct-ultrachat-200k" in told["model"]
    assert isinstance(json.loads(told["response"])["output"][0], str)
    assert told["gone"] is True
    assert "Completing processing run id" in done.stdout
