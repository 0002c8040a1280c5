"""How a run of the Dag ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        state: State of the Dag run.
        tasks: State of each task.
        xcoms: Return value of each task.
        run_id: Id of the Dag run.
    """

    state: str
    tasks: dict[str, str]
    xcoms: dict[str, Any]
    run_id: str
