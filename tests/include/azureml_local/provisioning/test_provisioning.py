"""What jobs and deployments run in is made on first use: once, wholly, and with a sentence if it cannot be."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml.exceptions import JobException

from azureml_local.provisioning import compute, everything, once, sample, standin
from azureml_local.provisioning.errors import ProvisioningError
from azureml_local.settings import Settings
from tests.support.azureml_service import ROOT, AzureMLLocal, running

NO_INDEX = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
"""pip finds no package, whatever this machine is connected to."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a stranger, who names nothing, with a cache of his own."""
    return Settings.from_environment({"XDG_CACHE_HOME": str(tmp_path)})


def left(settings: Settings) -> list[str]:
    """What lies in the cache, without the locks."""
    return sorted(path.name for path in settings.cache.iterdir() if not path.name.startswith("."))


def test_a_folder_is_made_once_by_processes_that_start_together(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from azureml_local.provisioning import once;"
        "folder, log = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]);"
        "made = (folder / 'done').exists;"
        "steps = lambda: (folder.mkdir(), log.open('a').write('made\\n'), (folder / 'done').touch());"
        "once.make(folder, made, steps)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "folder"), str(tmp_path / "log")]
    environment = {"PYTHONPATH": str(ROOT / "include")}
    both = [subprocess.Popen(arguments, env=environment) for _ in range(2)]
    assert [process.wait(30) for process in both] == [0, 0]
    assert (tmp_path / "log").read_text() == "made\n"


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "folder"

    def fail() -> None:
        folder.mkdir()
        raise ProvisioningError("no room")

    with pytest.raises(ProvisioningError, match="no room"):
        once.make(folder, lambda: False, fail)
    assert not folder.exists()


def test_what_was_cut_off_half_way_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "half").touch()

    def steps() -> None:
        folder.mkdir()
        (folder / "done").touch()

    once.make(folder, (folder / "done").exists, steps)
    assert [path.name for path in folder.iterdir()] == ["done"]


def test_the_sample_is_made_in_the_cache(settings: Settings) -> None:
    folder = sample.make(settings)
    assert folder == settings.cache / "sample"
    assert len(list((folder / "data").iterdir())) == sample.SPLITS


def test_a_folder_of_ones_own_keeps_its_files(settings: Settings, tmp_path: Path) -> None:
    own = replace(settings, sample=tmp_path / "own")
    (own.sample / "data").mkdir(parents=True)
    (own.sample / "data" / "train_sft-0.parquet").touch()
    sample.make(own)
    assert [path.name for path in (own.sample / "data").iterdir()] == ["train_sft-0.parquet"]


def test_what_the_environment_names_is_taken_as_it_is(settings: Settings, tmp_path: Path) -> None:
    named = replace(settings, compute_python=tmp_path / "none" / "python", standin=tmp_path / "none")
    assert compute.is_made(named)
    assert standin.is_made(named)
    assert not everything.will_exist(named, named.standin)
    assert everything.will_exist(settings, settings.standin)


def test_an_environment_that_pip_cannot_make_gives_a_sentence(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in NO_INDEX.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    with pytest.raises(ProvisioningError, match=r"torch==.+AZUREML_LOCAL_COMPUTE_PYTHON") as failed:
        compute.make(settings, said.append)
    assert "\n" not in str(failed.value)
    assert said[0].startswith("Making the compute environment in")
    assert left(settings) == []


@contextlib.contextmanager
def stranger(folder: Path, **changes: str) -> Iterator[AzureMLLocal]:
    """A service for which nothing has been made ahead, with a cluster."""
    changes = {**NO_INDEX, "XDG_CACHE_HOME": str(folder / "cache"), **changes}
    own = Settings.from_environment(changes).as_environment()
    changes |= {name: own[name] for name in ("AZUREML_LOCAL_COMPUTE_PYTHON", "AZUREML_LOCAL_STANDIN")}
    with running(folder / "home", port=0, **changes) as service:
        assert not (folder / "cache").exists()
        service.arm("PUT", "/computes/small", json=CLUSTER).raise_for_status()
        yield service


def test_only_a_job_looks_for_the_environment_and_says_why_there_is_none(tmp_path: Path) -> None:
    with stranger(tmp_path) as service:
        client = service.ml_client()
        assert client.workspaces.get("ws-local").location == "eastus"
        service.arm("PUT", "/jobs/hello", json=job("echo hello")).raise_for_status()
        with pytest.raises(JobException, match="The compute environment could not be made"):
            client.jobs.stream("hello")
        assert client.jobs.get("hello").status == "Failed"


def test_the_first_job_that_reads_the_stand_in_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = tmp_path / "python"
    trainer.write_text('#!/bin/sh\nmkdir -p "$4" && ls "$PYTHONPATH" > "$4/MLmodel"\n')
    trainer.chmod(0o700)
    with stranger(tmp_path, AZUREML_LOCAL_COMPUTE_PYTHON=str(trainer)) as service:
        reads = job("cat ${{inputs.model}}/MLmodel", model={"jobInputType": "mlflow_model", "uri": PHI})
        service.arm("PUT", "/jobs/reads", json=reads).raise_for_status()
        service.ml_client().jobs.stream("reads")
    # Nothing of the service's libraries is on the path of the training: only the package itself.
    assert "Made the stand-in\nazureml_local\n" in capsys.readouterr().out


def job(line: str, **inputs: dict[str, str]) -> dict[str, Any]:
    """Body of a command job."""
    properties = {
        "jobType": "Command",
        "command": line,
        "environmentId": "azureml:any:1",
        "computeId": "small",
    }
    return {"properties": {**properties, "inputs": inputs}}


PHI = "azureml://registries/azureml/models/Phi-3-mini-4k-instruct/versions/16"
CLUSTER = {
    "location": "eastus",
    "properties": {
        "computeType": "AmlCompute",
        "properties": {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 1}},
    },
}
