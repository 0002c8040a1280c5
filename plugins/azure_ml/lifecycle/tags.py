"""Whose a resource is, and until when it may live: the tags on everything that the operators create.

Teardown and callbacks touch what carries all :data:`OWNER_TAGS` of their own run, the reaper what carries
the project's tag; nobody touches anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from azure_ml.errors import BadInput
from azure_ml.provider import DEFAULT_PROJECT

if TYPE_CHECKING:
    from airflow.sdk import Context

DAG_TAG: Final = "airflow_dag_id"
RUN_TAG: Final = "airflow_run_id"
PROJECT_TAG: Final = "airflow_project"
TASK_TAG: Final = "airflow_task_id"
MAP_INDEX_TAG: Final = "airflow_map_index"
EXPIRY_TAG: Final = "airflow_expires_at"

# The Dag run, and the Airflow installation, that a resource belongs to.
OWNER_TAGS: Final = (DAG_TAG, RUN_TAG, PROJECT_TAG)

ENDPOINT_LEASE: Final = timedelta(hours=6)  # of endpoints and deployments, by default


def run_of(context: Context) -> tuple[str, str]:
    """``(dag_id, run_id)`` from the context of a task or of a callback."""
    run = context.get("dag_run")
    run_id = context.get("run_id") or getattr(run, "run_id", None)
    dag = context.get("dag") or run
    return str(getattr(dag, "dag_id", "")), str(run_id or "")


def owner_tags(dag_id: str, run_id: str, project: str = DEFAULT_PROJECT) -> dict[str, str]:
    """The tags by which a Dag run finds its resources; raises :class:`BadInput` if one is empty."""
    # Empty tags would fit other runs' resources.
    tags = dict(zip(OWNER_TAGS, (dag_id, run_id, project), strict=True))
    if missing := [name for name, value in tags.items() if not value]:
        raise BadInput(f"The owner of a resource has no {', '.join(missing)}: name the Dag, run and project.")
    return tags


def creator_tags(context: Context, project: str) -> dict[str, str]:
    """The owner's tags and the task's; for what costs nothing once it exists."""
    ti = context.get("ti")
    tags = {**owner_tags(*run_of(context), project), TASK_TAG: str(getattr(ti, "task_id", ""))}
    if (index := getattr(ti, "map_index", None)) is not None and index >= 0:
        tags[MAP_INDEX_TAG] = str(index)
    return tags


def lease_tags(context: Context, project: str, lease: timedelta) -> dict[str, str]:
    """The creator's tags and the end of the lease, counted from now; for what is billed by the hour."""
    if lease <= timedelta(0):
        raise BadInput(f"The lease {lease} is over before it begins: give one above zero.")
    return {**creator_tags(context, project), EXPIRY_TAG: spelled(datetime.now(UTC) + lease)}


def expiry_of(tags: Mapping[str, object] | None) -> datetime | None:
    """The end of a resource's lease, in UTC; ``None`` if its tags do not say, or not in ISO 8601."""
    try:
        expiry = datetime.fromisoformat(str((tags or {})[EXPIRY_TAG]))
    except (KeyError, ValueError):
        return None
    return expiry if expiry.tzinfo else expiry.replace(tzinfo=UTC)


def spelled(moment: datetime) -> str:
    """A moment as the tag spells it: ISO 8601, UTC, seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
