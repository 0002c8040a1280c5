"""The one event by which a trigger hands a task back to a worker, and the one kind of deadline."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from azure_ml import errors
from azure_ml.payload import Payload

Outcome = Literal["ended", "deadline", "progress", "error"]


@dataclass(frozen=True)
class Event:
    """Why a trigger has ended, and what it last saw."""

    outcome: Outcome
    name: str  # of the job or the endpoint
    deployment: str = ""  # of the endpoint, if that is what the trigger checked
    state: str | None = None  # as the service wrote it; None: the resource is gone, or was not seen
    operation: str = ""  # path of the operation that the task began
    deadline: float | None = None  # of the whole wait, not of one deferral
    error: str = ""
    kind: str = ""  # class of the error, from azure_ml.errors

    def to_json(self) -> Payload:
        """As plain data, for the database."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Payload) -> Event:
        """From :meth:`to_json`."""
        return cls(**data)

    def as_error(self) -> errors.AzureMLError:
        """The error because of which the trigger gave up."""
        kind = getattr(errors, self.kind, errors.ServiceFailure)
        error: errors.AzureMLError = kind(self.error)
        return error


def deadline_in(seconds: float) -> float:
    """A deadline from now: a moment in seconds since 1970, so that a restarted triggerer does not begin again."""
    return time.time() + seconds


def spelled(deadline: float) -> str:
    """A deadline for people: ISO 8601, UTC."""
    return datetime.fromtimestamp(deadline, UTC).isoformat(timespec="seconds")
