"""A scoring script that needs no model: answers with the request."""

from __future__ import annotations

import json
from typing import Any


def init() -> None:
    """Nothing to do."""


def run(data: str) -> Any:
    """The request."""
    return json.loads(data)
