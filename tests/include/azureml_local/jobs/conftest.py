"""A command component of plain Python, a pipeline of it, and clusters to run it on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, dsl, load_component
from azure.ai.ml.entities import AmlCompute

from tests.support.azureml_service import AzureMLLocal

COUNT = """\
import argparse, os, pathlib, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--text"); parser.add_argument("--times", type=int, default=1)
parser.add_argument("--source"); parser.add_argument("--folder"); parser.add_argument("--fail")
parser.add_argument("--sleep", type=float, default=0)
given = parser.parse_args()
print("working on", given.text, "times", given.times, flush=True)
if given.sleep:
    pathlib.Path(given.folder, "pid").write_text(str(os.getpid()))
    time.sleep(given.sleep)
if given.fail == "true":
    sys.exit("the step cannot go on")
before = pathlib.Path(given.source, "result.txt").read_text() if given.source else ""
pathlib.Path(given.folder, "result.txt").write_text(before + given.text * given.times)
print("secrets:", sorted(name for name in os.environ if "IDENTITY" in name))
"""
COMPONENT = """\
name: count_words
version: "1"
type: command
inputs:
  text: {type: string}
  times: {type: integer, default: 2, min: 1, max: 5}
  source: {type: uri_folder, optional: true}
  fail: {type: string, enum: ["true", "false"], default: "false"}
  sleep: {type: number, optional: true}
outputs:
  folder: {type: uri_folder}
code: ./code
environment: azureml:anything:1
command: >-
  python count.py --text '${{inputs.text}}' --times ${{inputs.times}} $[[--source '${{inputs.source}}']]
  --fail ${{inputs.fail}} $[[--sleep ${{inputs.sleep}}]] --folder '${{outputs.folder}}'
"""


@pytest.fixture(scope="module")
def client(azureml_local: AzureMLLocal) -> MLClient:
    """The SDK's client, and a cluster of one node."""
    found = azureml_local.ml_client()
    for name, nodes in (("one-node", 1), ("two-nodes", 2)):
        found.compute.begin_create_or_update(
            AmlCompute(name=name, size="Standard_DS3_v2", max_instances=nodes)
        ).result()
    return found


@pytest.fixture(scope="module")
def component_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The YAML of a command component whose one file is plain Python."""
    folder = tmp_path_factory.mktemp("component")
    (folder / "code").mkdir()
    (folder / "code" / "count.py").write_text(COUNT)
    (folder / "component.yaml").write_text(COMPONENT)
    return folder / "component.yaml"


@pytest.fixture(scope="module")
def count(component_file: Path) -> Any:
    """The component."""
    return load_component(component_file)


@pytest.fixture
def two_steps(count: Any) -> Any:
    """A pipeline of two steps, the second reading what the first wrote."""

    @dsl.pipeline(name="two_steps", default_compute="one-node")
    def build(text, fail="false"):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - the SDK reads them
        first = count(text=text)
        second = count(text="b", times=1, source=first.outputs.folder, fail=fail)
        return {"answer": second.outputs.folder}

    return build
