"""How long what a run has made may live after its end: read from docs/guarantees.md, where it is promised."""

from __future__ import annotations

import re
from typing import Final

from include.launcher.paths import ROOT
from tests.chaos.cases import Case

PAGE: Final = ROOT / "docs" / "guarantees.md"
_ROW: Final = re.compile(r"^\|[^|]+\| `([\w-]+)` \| (\d+) \|", re.MULTILINE)


def load() -> dict[str, int]:
    """Seconds by the name in the table's second column."""
    return {name: int(seconds) for name, seconds in _ROW.findall(PAGE.read_text())}


def seconds(case: Case, state: str) -> int:
    """What the page allows a run of this case that ended in this state."""
    limits = load()
    return limits.get(case.fault, limits["failed"]) if state == "failed" else limits["success"]
