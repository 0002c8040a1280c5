"""``FAIL=<task>``: the faults of the local Azure ML that make a task fail, from :file:`faults.yaml`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from include.launcher.errors import BadInputError

TABLE = Path(__file__).with_name("faults.yaml")


@dataclass(frozen=True)
class FaultPlan:
    """How to make one task fail: bodies for ``POST /_local/faults``, and the params with which a run meets them."""

    task_id: str
    story: str
    faults: list[dict[str, Any]]
    conf: dict[str, Any]


def load() -> dict[str, FaultPlan]:
    """The plans by task id."""
    # Random letters stand for {unique} in a param: a cluster or data set that no run has used before.
    unique = secrets.token_hex(3)
    return {
        task_id: FaultPlan(
            task_id,
            row["story"],
            row["faults"],
            {name: str(value).replace("{unique}", unique) for name, value in row.get("conf", {}).items()},
        )
        for task_id, row in yaml.safe_load(TABLE.read_text()).items()
    }


def plan(task_id: str) -> FaultPlan:
    """The plan for this task; raises ``BadInputError`` if there is none."""
    table = load()
    if task_id not in table:
        raise BadInputError(
            f"FAIL={task_id!r} is no task that can be made to fail: choose one of {', '.join(table)}."
        )
    return table[task_id]
