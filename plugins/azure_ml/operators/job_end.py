"""The one way in which a job may end, and an error for every other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from azure_ml import errors
from azure_ml.states import is_success

if TYPE_CHECKING:
    from azure_ml.hook import AzureMLHook

ENDED: Final[dict[str, tuple[type[errors.JobNotCompleted], str]]] = {
    "canceled": (errors.JobCanceled, "somebody has canceled it; clear the submitting task to train anew"),
    "paused": (errors.JobPaused, "it stands still until somebody resumes it in Studio"),
    "notresponding": (
        errors.JobNotResponding,
        "its machine sends no sign of life but may still compute; see in Studio that it has ended, then clear "
        "the submitting task",
    ),
}


def require_completed(hook: AzureMLHook, job_name: str, status: str) -> None:
    """Accept nothing but ``Completed`` as the end of a job.

    Raises:
        JobFailed: of the kind that the cause calls for, with the failed step and its last lines.
        JobCanceled, JobPaused, JobNotResponding: for the other ways to end.
        UnknownState: for a state that is in no table.
        ServiceFailure: if the job still runs.
    """
    if is_success("job", status, job_name):
        return
    if status.lower() == "failed":
        raise hook.logs.failure(job_name).error(job_name)
    if status.lower() in ENDED:
        kind, cure = ENDED[status.lower()]
        raise kind(f"The job {job_name!r} is in state {status!r} and not 'Completed': {cure}.")
    raise errors.ServiceFailure(
        f"The log of the job {job_name!r} has ended while it is in state {status!r}: wait again."
    )
