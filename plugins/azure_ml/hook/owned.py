"""Jobs by their tags: whose they are, and the end of those that nobody waits for any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azure_ml.errors import BadInput, Conflict, NotFound
from azure_ml.hook import sdk
from azure_ml.hook.polling import pauses
from azure_ml.hook.translate import text, translated
from azure_ml.ownership import PROJECT_TAG, is_owned
from azure_ml.states import is_active

if TYPE_CHECKING:
    from azure_ml.hook.base import AzureMLHook


@dataclass(frozen=True)
class TaggedJob:
    """A job of the workspace, with its tags."""

    name: str
    status: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether it is on its way; raises :class:`~azure_ml.errors.UnknownState`."""
        return is_active("job", self.status, self.name)

    @property
    def stalled(self) -> bool:
        """Whether it stands still and may yet hold its machines: such a job is canceled, but not waited for."""
        return self.status.lower() in ("paused", "notresponding")


def jobs_tagged(hook: AzureMLHook, wanted: Mapping[str, str]) -> list[TaggedJob]:
    """All jobs that carry the given tags, with the values given.

    The service filters by the name of one tag; the values are compared here.
    """
    with translated("list the jobs"):
        found = sdk.tagged_jobs(hook.workspace_client, PROJECT_TAG)
        jobs = [
            TaggedJob(str(job.name), text(job.properties.status), dict(job.properties.tags or {}))
            for job in found
        ]
    return [job for job in jobs if is_owned(job.tags, wanted)]


def cancel_tagged(hook: AzureMLHook, owner: Mapping[str, str]) -> list[str]:
    """Ask for the cancellation of an owner's active jobs; does not wait. Returns their names."""
    jobs = [job for job in jobs_tagged(hook, owner) if job.active or job.stalled]
    for job in jobs:
        cancel(hook, job.name)
    return [job.name for job in jobs]


def cancel(hook: AzureMLHook, name: str) -> None:
    """Ask for the cancellation of a job; does not wait, and one that has ended meanwhile is no error."""
    try:
        with translated(f"cancel the job {name!r}"):
            hook.workspace_client.jobs.begin_cancel(name, polling=False)
    except (NotFound, Conflict, BadInput):
        return


def end_tagged(
    hook: AzureMLHook,
    owner: Mapping[str, str],
    timeout_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Cancel an owner's jobs, and look until all have ended; returns the names of those canceled.

    Raises:
        OperationTimeout: if one still runs in the end.
    """
    asked: set[str] = set()
    for _ in pauses("cancel the run's jobs", timeout_seconds, sleep):
        jobs = jobs_tagged(hook, owner)
        active = [job for job in jobs if job.active]
        for job in [*active, *(job for job in jobs if job.stalled)]:
            if job.name not in asked:
                cancel(hook, job.name)
            asked.add(job.name)
        if not active:
            break
    return sorted(asked)


def await_end(
    hook: AzureMLHook, name: str, timeout_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Look at a job until it is no longer on its way.

    Raises:
        OperationTimeout: if it still is in the end.
    """
    for _ in pauses(f"cancel the job {name!r}", timeout_seconds, sleep):
        job = hook.jobs.get(name)
        if job is None or not is_active("job", job.status, name):
            return
