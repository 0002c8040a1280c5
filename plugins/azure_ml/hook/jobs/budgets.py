"""How long a job has waited for nodes and how long it has run, and what it may take of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Self

from azure_ml.errors import BadInput, JobOverBudget, JobQueuedTooLong, JobRanTooLong

QUEUE_TIMEOUT: Final = timedelta(hours=4)
RUN_TIMEOUT: Final = timedelta(hours=24)
MAX_TIMEOUT: Final = timedelta(days=365)  # a moment far beyond it has no date


@dataclass(frozen=True)
class Span:
    """The times of a run in run history; ``None`` for what has not happened yet."""

    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True)
class Usage:
    """A job's time so far."""

    queued: timedelta
    running: timedelta
    waits: bool  # now


def usage(job: Span, steps: Sequence[Span], now: datetime) -> Usage:
    """Split a job's life into waiting and running, from the spans of the job and of its innermost steps."""
    # A job waits while none of its steps has begun, and later whenever a step waits for a node and no other runs.
    # A preempted step keeps its first start, so that its second wait counts as running: never too long a wait.
    begin = job.created or now
    end = job.ended or now
    starts = [step.started for step in steps if step.started] or ([job.started] if job.started else [])
    first = min(starts, default=end)
    waits = [(begin, first)] + [
        (step.created, step.started or step.ended or end) for step in steps if step.created
    ]
    runs = [(step.started, step.ended or end) for step in steps if step.started]
    marks = sorted({begin, end, *(mark for pair in (*waits, *runs) for mark in pair if begin <= mark <= end)})
    queued = timedelta()
    for left, right in pairwise(marks):
        if _covers(waits, left) and not _covers(runs, left):
            queued += right - left
    return Usage(queued, end - begin - queued, _covers(waits, end, open_end=True) and not _open(steps))


def _covers(spans: Sequence[tuple[datetime, datetime]], moment: datetime, *, open_end: bool = False) -> bool:
    return any(left <= moment < right or (open_end and moment == right) for left, right in spans)


def _open(steps: Sequence[Span]) -> bool:
    return any(step.started and not step.ended for step in steps)


@dataclass(frozen=True)
class Budgets:
    """What a job may take."""

    queue: timedelta = QUEUE_TIMEOUT  # in which its steps wait for nodes
    run: timedelta = RUN_TIMEOUT  # all the rest

    @classmethod
    def of(cls, queue: timedelta | str | float, run: timedelta | str | float) -> Self:
        """From time spans or numbers of hours, also as text; raises :class:`BadInput` for any other."""
        return cls(_span(queue, "queue_timeout"), _span(run, "run_timeout"))

    def left(self, used: Usage) -> timedelta:
        """What remains of the budget in use."""
        return self.queue - used.queued if used.waits else self.run - used.running

    def spent(self, job_name: str, used: Usage) -> JobOverBudget | None:
        """The error of a job that has used up one of the two."""
        if used.queued >= self.queue:
            return JobQueuedTooLong(
                f"The job {job_name!r} has waited {rounded(used.queued)} for nodes, and queue_timeout is "
                f"{rounded(self.queue)}: look whether the cluster can grow (machines at most, quota, low "
                "priority), or allow more time in the queue."
            )
        if used.running >= self.run:
            return JobRanTooLong(
                f"The job {job_name!r} has run for {rounded(used.running)}, and run_timeout is "
                f"{rounded(self.run)}: train less (epochs, data), take a larger cluster, or allow more time."
            )
        return None

    def heartbeat(self, job_name: str, status: str, used: Usage) -> str:
        """One line: the state, and what the job has used and has left of both budgets."""
        return (
            f"Job {job_name} is {status}: "
            f"{rounded(used.queued)} in the queue ({rounded(self.queue - used.queued)} left), "
            f"{rounded(used.running)} running ({rounded(self.run - used.running)} left)."
        )


def _span(value: timedelta | str | float, name: str) -> timedelta:
    try:
        span = value if isinstance(value, timedelta) else timedelta(hours=float(value))
    except (TypeError, ValueError, OverflowError):
        span = timedelta()
    if not timedelta() < span <= MAX_TIMEOUT:
        hours = MAX_TIMEOUT // timedelta(hours=1)
        raise BadInput(f"{name} is {value!r}: give a number of hours above 0 and up to {hours}.")
    return span


def rounded(span: timedelta) -> str:
    """A time span in hours, minutes and seconds."""
    seconds = max(0, round(span.total_seconds()))
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
