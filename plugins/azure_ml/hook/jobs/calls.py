"""Jobs of the workspace: read, submit, cancel."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from azure_ml.errors import BadInput, Conflict, NotFound
from azure_ml.hook import _sdk
from azure_ml.hook._polling import pauses
from azure_ml.hook._translate import text, translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.jobs.history import JobHistory
from azure_ml.hook.jobs.pipeline import PipelineRequest, build
from azure_ml.hook.ownership import require_owned
from azure_ml.retries import PAID_AGAIN
from azure_ml.states import may_be_canceled

if TYPE_CHECKING:
    from datetime import datetime

    from azure.ai.ml import entities
    from azure.ai.ml._restclient.v2024_01_01_preview.models import JobBase

MAX_ATTEMPTS: Final = 20


@dataclass(frozen=True)
class Job:
    """A job as the service shows it."""

    name: str
    status: str
    studio_url: str  # empty if it has none
    tags: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None


def attempt_name(name: str, number: int) -> str:
    """The name of a request's first, second, ... job: ``name``, ``name-2``, ..."""
    return name if number == 1 else f"{name}-{number}"


class Jobs:
    """``hook.jobs``."""

    def __init__(self, clients: Clients, history: JobHistory) -> None:
        self._clients, self._history = clients, history

    def get(self, name: str) -> Job | None:
        """The job, or ``None`` if there is none of that name."""
        try:
            with translated(f"read the job {name!r}"):
                return _from_entity(self._clients.workspace_client.jobs.get(name))
        except NotFound:
            return None

    def status(self, name: str) -> str:
        """The job's state in the service's words; raises :class:`NotFound` if there is no such job."""
        job = self.get(name)
        if job is None:
            raise NotFound(
                f"The workspace has no job {name!r}: it was never submitted, or its record was deleted."
            )
        return job.status

    def owned(self, tags: Mapping[str, str]) -> list[Job]:
        """Every job, archived ones too, that carries all these tags; raises :class:`BadInput` for none."""
        # Without a tag these would be all jobs of the workspace.
        if not tags:
            raise BadInput("Cannot look for the jobs of nobody: give the tags that say whose they are.")
        # The service filters by the name of one tag; the values are compared here.
        key = "airflow_run_id" if "airflow_run_id" in tags else next(iter(tags))
        with translated(f"list the jobs with the tag {key!r}"):
            jobs = [_from_record(record) for record in _sdk.tagged_jobs(self._clients.workspace_client, key)]
        return [job for job in jobs if all(job.tags.get(name) == value for name, value in tags.items())]

    def resolved(self, request: PipelineRequest) -> PipelineRequest:
        """The request with a version of the component, where it asks for the newest."""
        if request.component_version:
            return request
        return replace(request, component_version=str(self._component(request).version))

    def submit(self, request: PipelineRequest) -> tuple[Job, bool]:
        """Submit a pipeline job unless the request has one already; returns the job and whether it is new.

        Raises :class:`NameTaken` if another owner has a job of that name.
        """
        # One that failed for good, or was canceled, is returned as it is.
        for number in range(request.first_attempt, request.first_attempt + MAX_ATTEMPTS):
            name = attempt_name(request.name, number)
            job = self.get(name)
            if job is None:
                return self._create(request, name), True
            require_owned(f"a job {name!r}", job.tags, request.owner)
            if job.status.lower() != "failed" or self._history.failure(name).cause not in PAID_AGAIN:
                return job, False
        raise BadInput(
            f"{MAX_ATTEMPTS} jobs named {request.name!r} have failed: find the cause before trying again."
        )

    def free_attempt(self, name: str) -> int:
        """Number of the first attempt that has no job in the workspace."""
        number = 1
        while self.get(attempt_name(name, number)) is not None:
            number += 1
        return number

    def cancel(self, name: str, owner: Mapping[str, str]) -> bool:
        """Request the cancellation of an owner's job without waiting; returns whether there was one to cancel.

        Raises :class:`NameTaken` for another owner's job.
        """
        job = self.get(name)
        if job is None or not may_be_canceled(job.status):
            return False
        require_owned(f"a job {name!r}", job.tags, owner)
        return self._request_cancel(name)

    def cancel_owned(self, owner: Mapping[str, str]) -> list[str]:
        """Request the cancellation of every job of an owner without waiting; returns the jobs' names."""
        active = [job.name for job in self.owned(owner) if may_be_canceled(job.status)]
        return [name for name in active if self._request_cancel(name)]

    def end_owned(
        self, owner: Mapping[str, str], timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
    ) -> list[str]:
        """Cancel every job of an owner and wait until all have ended; returns the names of those canceled."""
        requested: set[str] = set()
        for _ in pauses("cancel the run's jobs", timeout_seconds, sleep):
            active = {job.name for job in self.owned(owner) if may_be_canceled(job.status)}
            for name in sorted(active - requested):
                self._request_cancel(name)
            requested |= active
            if not active:
                break
        return sorted(requested)

    def end(
        self,
        name: str,
        owner: Mapping[str, str],
        timeout_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> str:
        """Cancel a job as :meth:`cancel` does and wait until it has ended; returns its last state."""
        self.cancel(name, owner)
        status = ""
        for _ in pauses(f"cancel the job {name!r}", timeout_seconds, sleep):
            status = self.status(name)
            if not may_be_canceled(status):
                break
        return status

    def _request_cancel(self, name: str) -> bool:
        try:
            with translated(f"cancel the job {name!r}"):
                self._clients.workspace_client.jobs.begin_cancel(name, polling=False)
        except (NotFound, Conflict, BadInput):
            return False  # It has ended in the meantime.
        return True

    def _component(self, request: PipelineRequest) -> entities.PipelineComponent:
        version = request.component_version
        which = {"version": version} if version else {"label": "latest"}
        with translated(f"read the component {request.component!r} version {version or 'latest'!r}"):
            return self._clients.registry_client.components.get(request.component, **which)

    def _create(self, request: PipelineRequest, name: str) -> Job:
        component = self._component(request)
        with translated(f"submit the job {name!r}"):
            job = build(component, request)
            job.name = name
            return _from_entity(self._clients.workspace_client.jobs.create_or_update(job))


def _from_entity(entity: entities.Job) -> Job:
    created = getattr(entity.creation_context, "created_at", None)
    url = str(entity.studio_url or "")
    return Job(str(entity.name), text(entity.status), url, dict(entity.tags or {}), created)


def _from_record(record: JobBase) -> Job:
    properties = record.properties
    studio = (properties.services or {}).get("Studio")
    return Job(
        str(record.name),
        text(properties.status),
        str(getattr(studio, "endpoint", None) or ""),
        dict(properties.tags or {}),
        getattr(record.system_data, "created_at", None),
    )
