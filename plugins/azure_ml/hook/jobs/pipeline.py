"""A pipeline job of one registry component."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from azure_ml.payload import Payload

if TYPE_CHECKING:
    from azure.ai.ml.entities import PipelineComponent, PipelineJob

ASSET_TYPES: Final = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")


@dataclass(frozen=True)
class PipelineRequest:
    """What to submit."""

    name: str  # of the job: a second submission finds the first by it
    component: str
    component_version: str | None  # None: the newest
    inputs: Mapping[str, object]  # by input; for files and models their azureml: address
    outputs: Mapping[str, str]  # output of the component -> name of the job's output
    experiment_name: str
    display_name: str
    description: str = ""
    owner: Mapping[str, str] = field(default_factory=dict)  # tags; a job that has them all counts as this one
    tags: Mapping[str, str] = field(default_factory=dict)  # more, such as the end of its lease
    first_attempt: int = 1  # earlier attempts belong to a round that was cleared

    def fingerprint(self) -> str:
        """Eight hexadecimal digits of whose it is, what is trained and where, not of how it is called."""
        what = (self.component, self.component_version, self.inputs, self.outputs, self.experiment_name)
        content = (*what, self.owner)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]

    def as_dict(self) -> Payload:
        """As plain data, for XCom; ``PipelineRequest(**data)`` reads it back."""
        return asdict(self)


def build(component: PipelineComponent, request: PipelineRequest) -> PipelineJob:
    """The SDK's pipeline job for a request."""
    from azure.ai.ml.dsl import pipeline

    inputs = {
        name: _input(component, name, value) for name, value in request.inputs.items() if value is not None
    }

    @pipeline  # type: ignore[untyped-decorator]
    def one_component() -> dict[str, object]:
        node = component(**inputs)
        return {job_output: node.outputs[output] for output, job_output in request.outputs.items()}

    job = one_component()
    job.display_name = request.display_name
    job.experiment_name = request.experiment_name
    job.description = request.description
    job.tags = {**request.tags, **request.owner}
    job.settings.force_rerun = True
    job.settings.continue_on_step_failure = False
    return job


def _input(component: PipelineComponent, name: str, value: object) -> object:
    from azure.ai.ml import Input

    kind = component.inputs[name].type if name in component.inputs else None
    return Input(type=kind, path=str(value)) if kind in ASSET_TYPES else value
