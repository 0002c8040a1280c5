"""Whose a resource is, and until when it may live: the tags on everything that the operators create.

Teardown and callbacks touch what carries all :data:`OWNER_TAGS` of their own run, the reaper what carries
the project's; nobody touches anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from azure_ml.errors import BadInput

if TYPE_CHECKING:
    from airflow.sdk import Context

DAG_TAG: Final = "airflow_dag_id"
RUN_TAG: Final = "airflow_run_id"
PROJECT_TAG: Final = "airflow_project"
TASK_TAG: Final = "airflow_task_id"
MAP_INDEX_TAG: Final = "airflow_map_index"
EXPIRY_TAG: Final = "airflow_expires_at"

OWNER_TAGS: Final = (DAG_TAG, RUN_TAG, PROJECT_TAG)
"""Which Dag run of which Airflow installation a resource belongs to."""

DEFAULT_PROJECT: Final = "airflow"
ENDPOINT_LEASE: Final = timedelta(hours=6)
"""How long an endpoint or a deployment may live unless an operator is told otherwise."""


def run_of(context: Context) -> tuple[str, str]:
    """``(dag_id, run_id)`` of a task's, or a callback's, context."""
    run = context.get("dag_run")
    run_id = context.get("run_id") or getattr(run, "run_id", None)
    dag = context.get("dag") or run
    return str(getattr(dag, "dag_id", "")), str(run_id or "")


def owner_tags(dag_id: str, run_id: str, project: str = DEFAULT_PROJECT) -> dict[str, str]:
    """The tags by which a Dag run knows its resources again.

    Raises:
        BadInput: if Dag, run or project is empty; such tags would fit other runs' resources.
    """
    tags = dict(zip(OWNER_TAGS, (dag_id, run_id, project), strict=True))
    if missing := [name for name, value in tags.items() if not value]:
        raise BadInput(f"The owner of a resource has no {', '.join(missing)}: name the Dag, run and project.")
    return tags


def creator_tags(context: Context, project: str) -> dict[str, str]:
    """The owner's tags, and which task it was; for what costs nothing once it is there."""
    ti: Any = context.get("ti")
    tags = {**owner_tags(*run_of(context), project), TASK_TAG: str(getattr(ti, "task_id", ""))}
    if (index := getattr(ti, "map_index", None)) is not None and index >= 0:
        tags[MAP_INDEX_TAG] = str(index)
    return tags


def lease_tags(context: Context, project: str, lease: timedelta) -> dict[str, str]:
    """The creator's tags, and until when the resource may live; for what is billed by the hour.

    Args:
        context: of the task that creates the resource.
        project: of the connection.
        lease: counted from now.

    Raises:
        BadInput: if the lease is not above zero.
    """
    if lease <= timedelta(0):
        raise BadInput(f"The lease {lease} is over before it begins: give one above zero.")
    return {**creator_tags(context, project), EXPIRY_TAG: spelled(datetime.now(UTC) + lease)}


def is_owned(tags: Mapping[str, Any] | None, owner: Mapping[str, str]) -> bool:
    """Whether a resource's tags have all the owner's values; an empty owner owns nothing."""
    return bool(owner) and all((tags or {}).get(key) == value for key, value in owner.items())


def expiry_of(tags: Mapping[str, Any] | None) -> datetime | None:
    """Until when a resource may live, in UTC; ``None`` if its tags do not say, or not in ISO 8601."""
    try:
        found = datetime.fromisoformat(str((tags or {})[EXPIRY_TAG]))
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def spelled(moment: datetime) -> str:
    """A moment as the tag has it: ISO 8601, UTC, seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
