"""What is no job that can run is refused when it is submitted, with a sentence and before anything begins."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient, command, dsl, load_component
from azure.ai.ml.sweep import Choice
from azure.core.exceptions import HttpResponseError

from tests.support.azureml_service import AzureMLLocal


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({"text": "a", "times": 9}, "lies outside 1 to 5"),
        ({"text": "a", "fail": "perhaps"}, "none of true, false"),
    ],
)
def test_wrong_inputs_are_refused_before_anything_runs(
    client: MLClient, count: Any, inputs: Any, complaint: str
) -> None:
    @dsl.pipeline(default_compute="one-node")  # type: ignore[untyped-decorator]
    def wrong() -> None:
        count(**inputs)

    with pytest.raises(HttpResponseError, match=complaint) as refused:
        client.jobs.create_or_update(wrong(), skip_validation=True)
    assert refused.value.status_code == 400


def test_an_unknown_and_a_missing_input_are_named(
    azureml_local: AzureMLLocal, client: MLClient, component_file: Path
) -> None:
    component = client.components.create_or_update(load_component(component_file))
    for inputs, complaint in (
        ({"text": "a", "colour": "red"}, "'colour' of node 'only' is not an input"),
        ({}, "'text' of node 'only' is required"),
    ):
        node = {
            "name": "only",
            "type": "command",
            "componentId": component.id,
            "computeId": "one-node",
            "inputs": {name: {"job_input_type": "literal", "value": value} for name, value in inputs.items()},
        }
        body = {"properties": {"jobType": "Pipeline", "jobs": {"only": node}, "settings": {}}}
        answer = azureml_local.arm(
            "PUT", f"/jobs/wrong-{time.time_ns()}", version="2024-01-01-preview", json=body
        )
        assert answer.status_code == 400
        assert complaint in answer.json()["error"]["message"]


def test_a_compute_that_does_not_exist_is_refused(azureml_local: AzureMLLocal) -> None:
    body = {
        "properties": {
            "jobType": "Command",
            "command": "true",
            "computeId": "nowhere",
            "environmentId": "azureml:e:1",
        }
    }
    answer = azureml_local.arm("PUT", "/jobs/no-compute", version="2025-01-01-preview", json=body)
    assert answer.status_code == 400
    assert "'nowhere' cannot be found" in answer.json()["error"]["message"]


def test_a_sweep_is_not_served_and_says_so(client: MLClient) -> None:
    job = command(
        command="python train.py --rate ${{inputs.rate}}",
        inputs={"rate": 0.1},
        environment="azureml:anything:1",
        compute="one-node",
    )
    sweep = job(rate=Choice([0.1, 0.2])).sweep(
        primary_metric="loss", goal="minimize", sampling_algorithm="random"
    )
    sweep.name = f"sweep-{time.time_ns()}"
    sweep.set_limits(max_total_trials=2)
    with pytest.raises(HttpResponseError, match="Sweep") as refused:
        client.jobs.create_or_update(sweep, skip_validation=True)
    assert refused.value.status_code == 501
    with pytest.raises(HttpResponseError, match="NotFound"):
        client.jobs.get(sweep.name)
