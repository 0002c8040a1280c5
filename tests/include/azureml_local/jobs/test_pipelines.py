"""Pipelines in pipelines, components of the registry, and what binds nodes together."""

import time
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, dsl, load_component
from azure.core.exceptions import HttpResponseError

from tests.support.azureml_service import AzureMLLocal
from tests.support.jobs import output_file
from tests.support.waiting import finished

ENVIRONMENT = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112"


def completed(client: MLClient, job: Any) -> str:
    """Name of a job that was submitted and is Completed."""
    done = finished(client, client.jobs.create_or_update(job, skip_validation=True).name)
    assert done.status == "Completed"
    return str(done.name)


def test_a_pipeline_reads_what_a_sibling_pipeline_wrote(
    azureml_local: AzureMLLocal, client: MLClient, count: Any
) -> None:
    @dsl.pipeline  # type: ignore[untyped-decorator]
    def write(text: str) -> Any:
        return {"made": count(text=text, times=1).outputs.folder}

    @dsl.pipeline  # type: ignore[untyped-decorator]
    def read(source: Input(type="uri_folder")) -> Any:  # type: ignore[valid-type]
        first = count(text="b", times=1, source=source)
        second = count(text="c", times=1, source=first.outputs.folder)
        return {"made": second.outputs.folder}

    @dsl.pipeline(default_compute="one-node")  # type: ignore[untyped-decorator]
    def whole() -> Any:
        return {"answer": read(source=read(source=write(text="a").outputs.made).outputs.made).outputs.made}

    name = completed(client, whole())
    assert output_file(azureml_local, name, "answer", "result.txt") == "abcbc"


def test_an_input_of_a_sibling_pipeline_that_nobody_writes_is_refused(client: MLClient, count: Any) -> None:
    @dsl.pipeline  # type: ignore[untyped-decorator]
    def read(source: Input(type="uri_folder")) -> Any:  # type: ignore[valid-type]
        return {"made": count(text="b", times=1, source=source).outputs.folder}

    @dsl.pipeline(default_compute="one-node")  # type: ignore[untyped-decorator]
    def whole() -> Any:
        missing = Input(type="uri_folder", path="azureml://datastores/workspaceblobstore/paths/nothing/here/")
        return {"answer": read(source=missing).outputs.made}

    with pytest.raises(HttpResponseError, match="nothing/here"):
        client.jobs.create_or_update(whole(), skip_validation=True)


def test_a_node_takes_the_input_of_a_sibling(
    azureml_local: AzureMLLocal, client: MLClient, component_file: Path
) -> None:
    component = client.components.create_or_update(load_component(component_file))
    nodes = {
        "first": {"text": "a", "times": "3"},
        "second": {
            "text": "${{parent.jobs.first.inputs.text}}",
            "times": "${{parent.jobs.first.inputs.times}}",
            "source": "${{parent.jobs.first.outputs.folder}}",
        },
    }
    answer = {"type": "literal", "value": "${{parent.outputs.answer}}"}
    jobs = {
        node: {
            "name": node,
            "type": "command",
            "componentId": component.id,
            "inputs": {key: {"job_input_type": "literal", "value": value} for key, value in given.items()},
            "outputs": {"folder": answer} if node == "second" else {},
        }
        for node, given in nodes.items()
    }
    name = f"siblings-{time.time_ns()}"
    body = {
        "jobType": "Pipeline",
        "jobs": jobs,
        "settings": {"default_compute": "one-node"},
        "outputs": {"answer": {"jobOutputType": "uri_folder"}},
    }
    made = azureml_local.arm("PUT", f"/jobs/{name}", version="2024-01-01-preview", json={"properties": body})
    assert made.status_code == 201, made.text
    assert finished(client, name).status == "Completed"
    assert output_file(azureml_local, name, "answer", "result.txt") == "aaaaaa"
    body["settings"] = {"default_compute": "one-node", "on_finalize": "second"}
    refused = azureml_local.arm(
        "PUT", "/jobs/at-the-end", version="2024-01-01-preview", json={"properties": body}
    )
    assert refused.status_code == 501
    assert "on_finalize" in refused.json()["error"]["message"]


def test_a_component_that_a_user_published_to_the_registry_is_used_in_a_job(
    azureml_local: AzureMLLocal, client: MLClient, component_file: Path
) -> None:
    registry = azureml_local.registry_client()
    published = load_component(component_file)
    published.environment = ENVIRONMENT
    published.name = f"published_{time.time_ns()}"
    made = registry.components.create_or_update(published)
    step = registry.components.get(made.name, made.version)

    @dsl.pipeline  # type: ignore[untyped-decorator]
    def chain(text: str) -> Any:
        first = step(text=text, times=1)
        return {"made": step(text="b", times=1, source=first.outputs.folder).outputs.folder}

    @dsl.pipeline(default_compute="one-node")  # type: ignore[untyped-decorator]
    def whole() -> Any:
        return {"answer": chain(text="a").outputs.made}

    assert output_file(azureml_local, completed(client, whole()), "answer", "result.txt") == "ab"


def test_a_pipeline_component_that_a_user_published_is_used_in_a_job(
    azureml_local: AzureMLLocal, client: MLClient, component_file: Path
) -> None:
    registry = azureml_local.registry_client()
    step = load_component(component_file)
    step.environment = ENVIRONMENT
    step.name = f"step_{time.time_ns()}"
    made = registry.components.create_or_update(step)
    own = registry.components.get(made.name, made.version)

    @dsl.pipeline  # type: ignore[untyped-decorator]
    def published(text: str) -> Any:
        return {"made": own(text=text, times=2).outputs.folder}

    pipeline = published(text="z").component
    pipeline.name, pipeline.version = f"chain_{time.time_ns()}", "1"
    kept = registry.components.create_or_update(pipeline)
    chain = registry.components.get(kept.name, kept.version)

    @dsl.pipeline(default_compute="one-node")  # type: ignore[untyped-decorator]
    def whole() -> Any:
        return {"answer": chain(text="y").outputs.made}

    assert output_file(azureml_local, completed(client, whole()), "answer", "result.txt") == "yy"
