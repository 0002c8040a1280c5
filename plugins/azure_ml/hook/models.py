"""Models of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from azure_ml.errors import NotFound
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.ownership import require_owned

if TYPE_CHECKING:
    from azure.ai.ml import entities

# Holds the job that made the model, by which a retry finds its first registration.
JOB_TAG: Final = "azureml_job"


@dataclass(frozen=True)
class Model:
    """A version of a model of the workspace."""

    name: str
    version: str
    id: str  # ARM id


class Models:
    """``hook.models``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def register_output(
        self,
        job_name: str,
        output: str,
        name: str,
        *,
        version: str | None = None,  # None: one more than the highest number
        description: str = "",
        tags: Mapping[str, str] | None = None,  # lineage; JOB_TAG is added
    ) -> Model:
        """Register a completed job's output as an MLflow model, or find what this job registered before.

        Raises :class:`NameTaken` if the version exists and is of another job.
        """
        path = f"azureml://jobs/{job_name}/outputs/{output}"
        action = f"register {path!r} as model {name!r}"
        versions = self._versions(name, action)
        for known in versions:
            if (known.tags or {}).get(JOB_TAG) == job_name:
                return _model(known)
            if str(known.version) == version:
                # The service would change the tags of the version that exists.
                require_owned(f"a model {name!r} version {version!r}", known.tags, {JOB_TAG: job_name})
        with translated(action):
            from azure.ai.ml.entities import Model as Entity

            entity = Entity(
                name=name,
                version=version or _next_version(versions),
                path=path,
                type="mlflow_model",
                description=description,
                tags={**(tags or {}), JOB_TAG: job_name},
            )
            return _model(self._clients.workspace_client.models.create_or_update(entity))

    def _versions(self, name: str, action: str) -> list[entities.Model]:
        try:
            with translated(action):
                return list(self._clients.workspace_client.models.list(name))
        except NotFound:
            return []


def _next_version(versions: list[entities.Model]) -> str:
    numbers = [int(known.version) for known in versions if str(known.version).isdecimal()]
    return str(max(numbers, default=0) + 1)


def _model(entity: entities.Model) -> Model:
    return Model(str(entity.name), str(entity.version), str(entity.id))
