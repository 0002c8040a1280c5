"""Calls about jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import BadInput, Conflict, NotFound
from azure_ml.hook import _sdk
from azure_ml.hook._polling import pauses
from azure_ml.hook._translate import text, translated
from azure_ml.hook.jobs.failures import RETRYABLE
from azure_ml.hook.jobs.pipeline import PipelineRequest, build
from azure_ml.states import may_be_canceled

if TYPE_CHECKING:
    from datetime import datetime

    from azure_ml.hook.client import AzureMLHook

__all__ = ["Job", "Jobs", "PipelineRequest", "attempt_name"]

MAX_ATTEMPTS: Final = 20
"""Jobs that one request may stand for: ``name``, ``name-2``, ..."""


@dataclass(frozen=True)
class Job:
    """A job as the service shows it; ``studio_url`` is empty if it has none."""

    name: str
    status: str
    studio_url: str
    tags: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None


def attempt_name(name: str, number: int) -> str:
    """The name of a request's first, second, ... job."""
    return name if number == 1 else f"{name}-{number}"


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
        return _job(found)

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

    def owned(self, tags: Mapping[str, str]) -> list[Job]:
        """Every job, archived ones too, that carries all these tags, whatever its name.

        The service filters by the name of one tag; the values are compared here.

        Raises:
            BadInput: if there is no tag: that would mean every job of the workspace.
        """
        if not tags:
            raise BadInput("Cannot look for the jobs of nobody: give the tags that say whose they are.")
        key = "airflow_run_id" if "airflow_run_id" in tags else next(iter(tags))
        with translated(f"list the jobs with the tag {key!r}"):
            found = [_record(job) for job in _sdk.tagged_jobs(self._hook.workspace_client, key)]
        return [job for job in found if all(job.tags.get(name) == value for name, value in tags.items())]

    def resolved(self, request: PipelineRequest) -> PipelineRequest:
        """The request with the component's version, if it asks for the newest."""
        if request.component_version:
            return request
        return replace(request, component_version=str(self._component(request).version))

    def submit(self, request: PipelineRequest) -> tuple[Job, bool]:
        """Submit a pipeline job, unless the request has one already.

        Where the earlier job failed for a cause that may pass, a new one is submitted under the next of
        :func:`attempt_name`. One that failed for good, or was canceled, is the answer: see its state.

        Returns:
            The job, and whether it is new.
        """
        for number in range(request.first_attempt, request.first_attempt + MAX_ATTEMPTS):
            name = attempt_name(request.name, number)
            job = self.get(name)
            if job is None:
                return self._create(request, name), True
            if job.status.lower() != "failed" or self._hook.logs.failure(name).cause not in RETRYABLE:
                return job, False
        raise BadInput(
            f"{MAX_ATTEMPTS} jobs named {request.name!r} have failed: find the cause before trying again."
        )

    def free_attempt(self, name: str) -> int:
        """Number of the first attempt of which the workspace has no job."""
        number = 1
        while self.get(attempt_name(name, number)) is not None:
            number += 1
        return number

    def cancel(self, name: str) -> bool:
        """Ask for the cancellation of a job; does not wait. Returns whether there was something to cancel."""
        job = self.get(name)
        return job is not None and may_be_canceled(job.status) and self._ask_to_cancel(name)

    def cancel_owned(self, owner: Mapping[str, str]) -> list[str]:
        """Ask for the cancellation of every job of an owner; does not wait. Returns the names of those asked."""
        active = [job.name for job in self.owned(owner) if may_be_canceled(job.status)]
        return [name for name in active if self._ask_to_cancel(name)]

    def end_owned(
        self, owner: Mapping[str, str], timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
    ) -> list[str]:
        """Cancel every job of an owner and look until all have ended; returns the names of those canceled.

        Raises:
            OperationTimeout: if one has not ended in time.
        """
        asked: set[str] = set()
        for _ in pauses("cancel the run's jobs", timeout_seconds, sleep):
            going = {job.name for job in self.owned(owner) if may_be_canceled(job.status)}
            for name in sorted(going - asked):
                self._ask_to_cancel(name)
            asked |= going
            if not going:
                break
        return sorted(asked)

    def end(self, name: str, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep) -> str:
        """Cancel a job and look until it has ended; returns the state in which it has.

        Raises:
            OperationTimeout: if it has not ended in time.
            NotFound: if there is no such job.
        """
        self.cancel(name)
        status = ""
        for _ in pauses(f"cancel the job {name!r}", timeout_seconds, sleep):
            status = self.status(name)
            if not may_be_canceled(status):
                break
        return status

    def _ask_to_cancel(self, name: str) -> bool:
        try:
            with translated(f"cancel the job {name!r}"):
                self._hook.workspace_client.jobs.begin_cancel(name, polling=False)
        except (NotFound, Conflict, BadInput):
            return False  # It has ended in the meantime.
        return True

    def _component(self, request: PipelineRequest) -> Any:
        version = request.component_version
        which = {"version": version} if version else {"label": "latest"}
        with translated(f"read the component {request.component!r} version {version or 'latest'!r}"):
            return self._hook.registry_client.components.get(request.component, **which)

    def _create(self, request: PipelineRequest, name: str) -> Job:
        component = self._component(request)
        with translated(f"submit the job {name!r}"):
            job = build(component, request)
            job.name = name
            return _job(self._hook.workspace_client.jobs.create_or_update(job))


def _job(found: Any) -> Job:
    """From the SDK's entity."""
    created = getattr(found.creation_context, "created_at", None)
    return Job(
        str(found.name), text(found.status), str(found.studio_url or ""), dict(found.tags or {}), created
    )


def _record(found: Any) -> Job:
    """From the service's own record."""
    properties = found.properties
    studio = (properties.services or {}).get("Studio")
    created = getattr(found.system_data, "created_at", None)
    return Job(
        str(found.name),
        text(properties.status),
        str(getattr(studio, "endpoint", None) or ""),
        dict(properties.tags or {}),
        created,
    )
