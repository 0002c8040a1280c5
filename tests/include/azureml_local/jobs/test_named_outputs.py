"""Outputs with a name become assets; their paths may be expressions."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, command, dsl, load_component
from azure.core.exceptions import HttpResponseError

from tests.support.azureml_service import AzureMLLocal
from tests.support.waiting import finished

MLMODEL = "flavors: {python_function: {loader_module: nothing}}"


def unique(word: str) -> str:
    """A name that no other test has."""
    return f"{word}-{time.time_ns()}"


def writing(output: Output, line: str = "echo rows > ${{outputs.made}}/rows.txt") -> Any:
    """A command job with one output."""
    return command(
        command=line, outputs={"made": output}, environment="azureml:anything:1", compute="one-node"
    )


def run(client: MLClient, job: Any, **changes: Any) -> Any:
    """Submit a job and wait until it is Completed."""
    done = finished(client, client.jobs.create_or_update(job, skip_validation=True, **changes).name)
    assert done.status == "Completed"
    return done


def text_of(client: MLClient, uri: str, folder: Path, file: str) -> str:
    """What a job reads in a file of an input."""
    job = command(
        command=f"cat ${{{{inputs.given}}}}/{file}",
        inputs={"given": Input(type="uri_folder", path=uri)},
        environment="azureml:anything:1",
        compute="one-node",
    )
    client.jobs.download(run(client, job).name, download_path=folder)
    return (folder / "artifacts/user_logs/std_log.txt").read_text()


@pytest.mark.parametrize(
    "kind", ["uri_file", "uri_folder", "mltable", "custom_model", "triton_model", "mlflow_model"]
)
def test_a_named_output_of_a_command_is_registered_as_an_asset_of_its_type(
    client: MLClient, kind: str
) -> None:
    name = unique("made")
    place = "${{outputs.made}}" if kind == "uri_file" else "${{outputs.made}}/MLmodel"
    job = writing(Output(type=kind, name=name), f"echo '{MLMODEL}' > {place}")
    done = run(client, job)
    assert done.outputs["made"].name == name
    assets = client.models if kind.endswith("model") else client.data
    made = assets.get(name, version="1")
    assert made.type == kind
    assert f"/{done.name}/made" in made.path
    if kind.endswith("model"):
        assert made.job_name == done.name


def test_a_version_is_the_one_given_or_the_next(client: MLClient, tmp_path: Path) -> None:
    name = unique("rows")
    run(client, writing(Output(type="uri_folder", name=name, version="7")))
    run(client, writing(Output(type="uri_folder", name=name)))
    assert sorted(one.version for one in client.data.list(name)) == ["7", "8"]
    assert text_of(client, f"azureml:{name}:8", tmp_path, "rows.txt") == "rows\n"
    with pytest.raises(HttpResponseError, match=f"{name}:7 exists already") as refused:
        client.jobs.create_or_update(
            writing(Output(type="uri_folder", name=name, version="7")), skip_validation=True
        )
    assert refused.value.status_code == 409


def test_a_failed_job_registers_nothing(client: MLClient) -> None:
    name = unique("rows")
    failing = writing(Output(type="uri_folder", name=name), "echo x > ${{outputs.made}}/x; exit 3")
    assert (
        finished(client, client.jobs.create_or_update(failing, skip_validation=True).name).status == "Failed"
    )
    no_model = writing(Output(type="mlflow_model", name=name))
    failed = finished(client, client.jobs.create_or_update(no_model, skip_validation=True).name)
    assert failed.status == "Failed"
    assert name not in [one.name for one in (*client.data.list(), *client.models.list())]


def test_named_outputs_of_steps_and_of_pipelines_are_registered(
    client: MLClient, component_file: Path, tmp_path: Path
) -> None:
    count, of_step, of_pipeline = load_component(component_file), unique("step"), unique("pipeline")

    @dsl.pipeline(default_compute="one-node")  # type: ignore[untyped-decorator]
    def two() -> Any:
        first = count(text="a", times=1)
        first.outputs.folder.name, first.outputs.folder.version = of_step, "4"
        second = count(text="b", times=1, source=first.outputs.folder)
        return {"answer": second.outputs.folder}

    job = two()
    job.outputs.answer.name = of_pipeline
    done = run(client, job)
    assert text_of(client, f"azureml:{of_step}:4", tmp_path / "1", "result.txt") == "a"
    assert text_of(client, f"azureml:{of_pipeline}:1", tmp_path / "2", "result.txt") == "ab"
    assert [one.version for one in client.data.list(of_pipeline)] == ["1"]
    assert f"/{done.name}/answer" in client.data.get(of_pipeline, version="1").path


def test_expressions_in_the_path_of_an_output_are_resolved(
    azureml_local: AzureMLLocal, client: MLClient, count: Any
) -> None:
    path = "azureml://datastores/${{default_datastore}}/paths/own/${{name}}/${{ output_name }}/"
    done = run(client, writing(Output(type="uri_folder", path=path)))
    assert done.outputs["made"].path == f"azureml://datastores/workspaceblobstore/paths/own/{done.name}/made/"

    @dsl.pipeline(default_compute="one-node", default_datastore="workspaceartifactstore")  # type: ignore[untyped-decorator]
    def one() -> Any:
        step = count(text="a", times=1)
        step.outputs.folder.path, step.outputs.folder.mode = path, "upload"
        second = count(text="b", times=1, source=step.outputs.folder)
        return {"answer": second.outputs.folder}

    job = one()
    job.outputs.answer.path = path
    done = run(client, job)
    step = {child.display_name: child.name for child in client.jobs.list(parent_job_name=done.name)}
    own = azureml_local.home / "blobs/localstore/azureml/own"
    assert (own / step["step"] / "folder/result.txt").read_text() == "a"
    assert (own / step["second"] / "folder/result.txt").read_text() == "ab"
    assert (
        done.outputs["answer"].path
        == f"azureml://datastores/workspaceartifactstore/paths/own/{step['second']}/folder/"
    )


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        (
            Output(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/${{unknown}}/"),
            "none of",
        ),
        (Output(type="uri_folder", path="azureml://datastores/nowhere/paths/x/"), "'nowhere' was not found"),
        (Output(type="uri_folder", path="https://elsewhere.example/x"), "give one of a datastore"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_anything_runs(
    client: MLClient, output: Output, complaint: str
) -> None:
    with pytest.raises(HttpResponseError, match=complaint):
        client.jobs.create_or_update(writing(output), skip_validation=True)
