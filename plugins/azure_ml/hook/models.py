"""Calls about the workspace's own models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import NotFound
from azure_ml.hook._translate import translated

if TYPE_CHECKING:
    from azure_ml.hook.client import AzureMLHook

JOB_TAG: Final = "azureml_job"
"""Tag that holds the job which made the model; a retry finds its first registration by it."""


@dataclass(frozen=True)
class Model:
    """A version of a model of the workspace; ``id`` is its ARM id."""

    name: str
    version: str
    id: str


def _model(found: Any) -> Model:
    return Model(str(found.name), str(found.version), str(found.id))


class Models:
    """``hook.models``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    def register_output(
        self,
        job_name: str,
        output: str,
        name: str,
        *,
        version: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Model:
        """Register a job's output as an MLflow model; what the job has registered already is returned.

        Args:
            job_name: of the completed job.
            output: name of the job's output.
            name: of the model.
            version: of the model; ``None`` for one more than the highest number there is.
            description: shown in Studio.
            tags: lineage; the job's name is added as :data:`JOB_TAG`.
        """
        path = f"azureml://jobs/{job_name}/outputs/{output}"
        action = f"register {path!r} as model {name!r}"
        versions = self._versions(name, action)
        for known in versions:
            if (known.tags or {}).get(JOB_TAG) == job_name:
                return _model(known)
        numbers = [int(known.version) for known in versions if str(known.version).isdecimal()]
        with translated(action):
            from azure.ai.ml.entities import Model as Entity

            wanted = Entity(
                name=name,
                version=version or str(max(numbers, default=0) + 1),
                path=path,
                type="mlflow_model",
                description=description,
                tags={**(tags or {}), JOB_TAG: job_name},
            )
            return _model(self._hook.workspace_client.models.create_or_update(wanted))

    def _versions(self, name: str, action: str) -> list[Any]:
        try:
            with translated(action):
                return list(self._hook.workspace_client.models.list(name))
        except NotFound:
            return []
