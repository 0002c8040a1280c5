"""Components: what the service makes of a definition, what may change later, and which version is the newest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.azureml_service import AzureMLLocal

CURATED = "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu:33"


def hello(name: str, version: str | None = None, **changes: Any) -> Any:
    """A command component."""
    from azure.ai.ml.entities import CommandComponent

    given = {
        "inputs": {
            "number": {"type": "number", "default": 1.5},
            "folder": {"type": "uri_folder", "optional": True},
        },
        "outputs": {"out": {"type": "uri_folder"}},
        "command": "echo ${{inputs.number}} $[[${{inputs.folder}}]] > ${{outputs.out}}/x",
        "environment": CURATED,
        **changes,
    }
    return CommandComponent(name=name, version=version, **given)


def test_two_anonymous_components_that_differ_in_name_alone_are_one(azureml_local: AzureMLLocal) -> None:
    components = azureml_local.ml_client().components
    first = components.create_or_update(hello("one", "1"), is_anonymous=True)
    second = components.create_or_update(hello("two", "2"), is_anonymous=True)
    assert first.id == second.id
    assert "/components/azureml_anonymous/versions/" in first.id
    assert (second.name, second.version) == ("two", "2")
    _, _, digest = second.id.split("/")[-3:]
    assert components.get("azureml_anonymous", digest).name == "two"


def test_a_pipeline_may_use_the_same_steps_under_two_names(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.dsl import pipeline

    left, right = hello("left"), hello("right")

    @pipeline()  # type: ignore[untyped-decorator]
    def both() -> None:
        left(number=1)
        right(number=2)

    client = azureml_local.ml_client()
    made = client.components.create_or_update(both().component, version="1")
    assert len({job["component"] for job in made._to_dict()["jobs"].values()}) == 1


@pytest.mark.parametrize(
    "changes",
    [{"description": "new"}, {"tags": {"a": "b"}}, {"display_name": "New"}],
    ids=lambda changes: "".join(changes),
)
def test_what_describes_a_version_may_change(azureml_local: AzureMLLocal, changes: dict[str, Any]) -> None:
    components = azureml_local.ml_client().components
    name = f"described_{''.join(changes)}"
    components.create_or_update(hello(name, "1"))
    components.create_or_update(hello(name, "1", **changes))
    field, value = next(iter(changes.items()))
    assert getattr(components.get(name, "1"), field) == value


def test_the_stage_of_a_version_may_change(azureml_local: AzureMLLocal) -> None:
    spec = {"command": "echo", "environment": CURATED, "type": "command"}
    for stage, status in (("Development", 201), ("Production", 200)):
        body = {"properties": {"componentSpec": spec, "stage": stage}}
        answer = azureml_local.arm("PUT", "/components/staged/versions/1", json=body)
        assert (answer.status_code, answer.json()["properties"]["stage"]) == (status, stage)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("command", "echo other"),
        ("inputs", {"number": {"type": "integer"}, "folder": {"type": "uri_folder", "optional": True}}),
        ("environment", "azureml:mine:1"),
    ],
    ids=["command", "inputs", "environment"],
)
def test_other_content_under_an_existing_version_is_refused(
    azureml_local: AzureMLLocal, field: str, value: Any
) -> None:
    from azure.core.exceptions import ResourceExistsError

    components = azureml_local.ml_client().components
    components.create_or_update(hello(f"fixed_{field}", "1"))
    with pytest.raises(ResourceExistsError, match=f"exists with another {field} in its componentSpec"):
        components.create_or_update(hello(f"fixed_{field}", "1", **{field: value}))
    assert components.get(f"fixed_{field}", "1").command == hello("x").command


def test_a_component_without_a_version_gets_1_and_then_the_time(azureml_local: AzureMLLocal) -> None:
    components = azureml_local.ml_client().components
    assert components.create_or_update(hello("timed")).version == "1"
    second = components.create_or_update(hello("timed", command="echo second"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{7}", second.version)
    assert components.get("timed", label="latest").version == second.version


def test_the_newest_version_has_the_label_in_its_id(azureml_local: AzureMLLocal) -> None:
    components = azureml_local.ml_client().components
    components.create_or_update(hello("labelled", "7"))
    newest = components.get("labelled")
    assert newest.version == "7"
    assert newest.id.endswith("/components/labelled/labels/default")
    assert components.get("labelled", label="latest").id.endswith("/components/labelled/versions/7")


def test_a_definition_comes_back_with_what_the_service_fills_in(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml import PyTorchDistribution

    components = azureml_local.ml_client().components
    component = components.create_or_update(
        hello("filled", "1", distribution=PyTorchDistribution(process_count_per_instance=4))
    )
    made = component._to_dict()
    assert made["inputs"]["number"] == {"type": "number", "default": "1.5", "optional": False}
    assert made["inputs"]["folder"]["optional"] is True
    assert made["resources"] == {"instance_count": 1}
    assert component.distribution.process_count_per_instance == "4"
    assert made["environment"] == (
        "azureml://registries/azureml/environments/AzureML-sklearn-1.0-ubuntu20.04-py38-cpu/versions/33"
    )


def test_a_component_that_no_job_runs_here_is_kept_and_refused_in_a_job(azureml_local: AzureMLLocal) -> None:
    spec = {"type": "spark", "entry": {"file": "x.py"}, "inputs": {}, "outputs": {}}
    made = azureml_local.arm(
        "PUT", "/components/sparks/versions/1", json={"properties": {"componentSpec": spec}}
    )
    assert made.status_code == 201
    node = {"componentId": made.json()["id"], "type": "spark"}
    job = {
        "properties": {"jobType": "Pipeline", "jobs": {"one": node}, "settings": {"default_compute": "none"}}
    }
    refused = azureml_local.arm("PUT", "/jobs/with-sparks", json=job)
    assert refused.status_code == 501
    assert "is of type 'spark'" in refused.json()["error"]["message"]


def test_the_same_code_is_one_asset_whatever_it_is_called(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    components = azureml_local.ml_client().components
    made = []
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "main.py").write_text("print('the same')\n")
        made.append(components.create_or_update(hello("coded", "1", code=str(tmp_path / folder))))
    assert made[0].code == made[1].code


def test_a_folder_of_data_is_addressed_with_a_slash_at_its_end(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import Data

    path = "azureml://datastores/workspaceblobstore/paths/some"
    data = azureml_local.ml_client().data
    assert data.create_or_update(Data(name="a-folder", path=path, type="uri_folder")).path.endswith(
        "/paths/some/"
    )
    assert data.create_or_update(Data(name="a-file", path=path, type="uri_file")).path.endswith("/paths/some")
