"""The model as a deployment sees it: real files, which are not the asset's own, and cheap if they are large."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from azure.ai.ml.entities import Model, OnlineRequestSettings

from azureml_local.storage.binding import COPIED, bind
from tests.support.compute_environment import COMPUTE, run_compute
from tests.support.serving_service import Serving, serving

SAVE = """\
import mlflow.pyfunc, sys
class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[int]) -> list[int]:
        return [2 * number for number in model_input]
mlflow.pyfunc.save_model(sys.argv[1], python_model=Doubles(), pip_requirements=[])
"""


def test_a_script_finds_files_that_are_no_links_and_not_the_asset(here: Serving, tmp_path: Path) -> None:
    (tmp_path / "weights/deep").mkdir(parents=True)
    (tmp_path / "weights/deep/small.txt").write_text("small")
    model = here.client.models.create_or_update(Model(name="mounted", path=tmp_path / "weights"))
    with here.endpoint() as endpoint:
        for name in ("blue", "green"):
            here.deploy(endpoint, name, model=model.id, script="mounted.py")
            here.traffic(endpoint, None, **{name: 100})
            first = here.score(endpoint, {}).json()
            assert first == {"files": {"weights/deep/small.txt": 5}, "links": []}
            changed = here.score(endpoint, {"write": "weights/deep/small.txt"}).json()
            assert changed["files"] == {"weights/deep/small.txt": 12}
            here.traffic(endpoint)
    here.client.models.download("mounted", model.version, download_path=tmp_path / "got")
    assert next((tmp_path / "got").rglob("small.txt")).read_text() == "small"


def test_mlflow_loads_a_mounted_model(compute: None, tmp_path: Path) -> None:
    made = run_compute("-c", SAVE, str(tmp_path / "doubles"))
    assert made.returncode == 0, made.stdout
    (tmp_path / "azureml").mkdir()
    with serving(tmp_path / "azureml", str(COMPUTE)) as there:
        model = there.client.models.create_or_update(
            Model(name="doubles", path=tmp_path / "doubles", type="mlflow_model")
        )
        patient = OnlineRequestSettings(request_timeout_ms=90_000)
        with there.endpoint() as endpoint:
            there.deploy(endpoint, "demo", model=model.id, script="mounted.py", request_settings=patient)
            there.traffic(endpoint, demo=100)
            answer = there.score(endpoint, {"load": "doubles"})
            assert answer.json() == {"answer": [6]}, answer.text


def test_large_weights_are_not_copied(tmp_path: Path) -> None:
    (tmp_path / "asset").mkdir()
    with (tmp_path / "asset/large.bin").open("wb") as file:
        file.truncate(COPIED + 1)
    (tmp_path / "asset/small.bin").write_bytes(b"1")
    (tmp_path / "asset/link.bin").symlink_to(tmp_path / "asset/large.bin")
    bind(tmp_path / "asset", tmp_path / "mount/asset")
    mounted = {file.name: file for file in (tmp_path / "mount/asset").iterdir()}
    assert not any(file.is_symlink() for file in mounted.values())
    same = {name for name, file in mounted.items() if os.path.samefile(file, tmp_path / "asset" / name)}
    assert same == {"large.bin", "link.bin"}


@pytest.mark.parametrize("before", ["file", "folder", "link"])
def test_what_was_mounted_before_gives_way(tmp_path: Path, before: str) -> None:
    (tmp_path / "asset.txt").write_text("new")
    target = tmp_path / "mount"
    if before == "file":
        target.write_text("old")
    elif before == "folder":
        target.mkdir()
        (target / "old.txt").write_text("old")
    else:
        target.symlink_to(tmp_path)
    bind(tmp_path / "asset.txt", target)
    assert target.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["asset.txt", "mount"]
