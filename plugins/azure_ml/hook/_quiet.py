"""Keeps the HTTP libraries' line about each request out of task logs: httpx prints signed URLs whole."""

from __future__ import annotations

import logging
from typing import Final

TALKATIVE: Final = ("azure", "httpx", "httpx2", "msrest", "urllib3")


def quieten() -> None:
    """Let the HTTP libraries log warnings only, unless somebody has set their level already."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
