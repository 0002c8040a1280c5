"""Calls about jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import BadInput, Conflict, NotFound
from azure_ml.hook.translate import text, translated
from azure_ml.states import Phase, phase

if TYPE_CHECKING:
    from azure_ml.hook.base import AzureMLHook

ASSET_TYPES: Final = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
MAX_ATTEMPTS: Final = 20
"""Jobs that one name may stand for: ``name``, ``name-2``, ..."""


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


@dataclass(frozen=True)
class Job:
    """A job as the service shows it; ``studio_url`` is empty if it has none."""

    name: str
    status: str
    studio_url: str


def attempt_names(name: str) -> list[str]:
    """The names that jobs submitted under ``name`` may have, in the order in which they are taken."""
    return [name, *(f"{name}-{number}" for number in range(2, MAX_ATTEMPTS + 1))]


class Jobs:
    """``hook.jobs``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    def get(self, name: str) -> Job | None:
        """The job, or ``None`` if there is none of that name."""
        try:
            with translated(f"read the job {name!r}"):
                found = self._hook.workspace_client.jobs.get(name)
        except NotFound:
            return None
        return Job(str(found.name), text(found.status), str(found.studio_url or ""))

    def status(self, name: str) -> str:
        """The job's state in the service's words.

        Raises:
            NotFound: if there is no such job.
        """
        job = self.get(name)
        if job is None:
            raise NotFound(
                f"The workspace has no job {name!r}: it was never submitted, or its record was deleted."
            )
        return job.status

    def submit(self, request: PipelineRequest) -> tuple[Job, bool]:
        """Submit a pipeline job, unless one of its name runs or has completed.

        Where the earlier job failed, a new one is submitted under the next of :func:`attempt_names`.

        Returns:
            The job, and whether it is new.
        """
        for name in attempt_names(request.name):
            job = self.get(name)
            if job is None:
                return self._create(request, name), True
            if phase("job", job.status, name) is not Phase.FAILED:
                return job, False
        raise BadInput(
            f"{MAX_ATTEMPTS} jobs named {request.name!r} have failed: find the cause before trying again."
        )

    def cancel(self, name: str) -> bool:
        """Ask for the cancellation of a job; does not wait. Returns whether there was something to cancel."""
        job = self.get(name)
        if job is None or phase("job", job.status, name) is not Phase.ACTIVE:
            return False
        try:
            with translated(f"cancel the job {name!r}"):
                self._hook.workspace_client.jobs.begin_cancel(name, polling=False)
        except (NotFound, Conflict, BadInput):
            return False  # It has ended in the meantime.
        return True

    def cancel_attempts(self, name: str) -> list[str]:
        """Cancel every job that was submitted under ``name``; returns the names of those canceled."""
        canceled = []
        for attempt in attempt_names(name):
            if self.get(attempt) is None:
                break
            if self.cancel(attempt):
                canceled.append(attempt)
        return canceled

    def _create(self, request: PipelineRequest, name: str) -> Job:
        version = request.component_version
        which = {"version": version} if version else {"label": "latest"}
        with translated(f"read the component {request.component!r} version {version or 'latest'!r}"):
            component = self._hook.registry_client.components.get(request.component, **which)
        with translated(f"submit the job {name!r}"):
            job = _build(component, request)
            job.name = name
            found = self._hook.workspace_client.jobs.create_or_update(job)
        return Job(str(found.name), text(found.status), str(found.studio_url or ""))


def _build(component: Any, request: PipelineRequest) -> Any:
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
