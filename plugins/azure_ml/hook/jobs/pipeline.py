"""What a pipeline job is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

ASSET_TYPES: Final = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")


@dataclass(frozen=True)
class PipelineRequest:
    """A pipeline job of one component.

    Attributes:
        name: the job's name, the key by which a second submission finds the first.
        component: name of the registry's component.
        component_version: its version; ``None`` for the newest.
        inputs: a value for each input; for files and models their ``azureml:`` address.
        outputs: output of the component -> name of the job's output.
        experiment_name: experiment under which Studio lists it.
        display_name: title in Studio.
        description: text in Studio.
        tags: of the job.
        first_attempt: number of the first job that counts; those before it belong to what was cleared.
    """

    name: str
    component: str
    component_version: str | None
    inputs: Mapping[str, Any]
    outputs: Mapping[str, str]
    experiment_name: str
    display_name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    first_attempt: int = 1

    def fingerprint(self) -> str:
        """Eight hexadecimal digits of what is trained and where, not of how it is called."""
        content = (self.component, self.component_version, self.inputs, self.outputs, self.experiment_name)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for XCom; ``PipelineRequest(**data)`` reads it back."""
        return asdict(self)


def build(component: Any, request: PipelineRequest) -> Any:
    """The SDK's pipeline job for a request."""
    from azure.ai.ml import Input
    from azure.ai.ml.dsl import pipeline

    def given(name: str, value: Any) -> Any:
        declared = component.inputs[name].type if name in component.inputs else None
        return Input(type=declared, path=str(value)) if declared in ASSET_TYPES else value

    inputs = {name: given(name, value) for name, value in request.inputs.items() if value is not None}

    @pipeline  # type: ignore[untyped-decorator]
    def one_component() -> dict[str, Any]:
        node = component(**inputs)
        return {mine: node.outputs[theirs] for theirs, mine in request.outputs.items()}

    job = one_component()
    job.display_name = request.display_name
    job.experiment_name = request.experiment_name
    job.description = request.description
    job.tags = dict(request.tags)
    job.settings.force_rerun = True
    job.settings.continue_on_step_failure = False
    return job
