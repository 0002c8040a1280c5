"""ISO 8601 durations, as ARM writes probe and request times."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from azureml_local.arm.grammar import ArmError

_DURATION: Final = TypeAdapter(timedelta)


def seconds(text: str) -> float:
    """Length of a duration such as ``PT1M30S``; ArmError 400 if it is none."""
    try:
        # pydantic also reads clock times and negative durations.
        return _DURATION.validate_python(text if text.startswith("P") else "").total_seconds()
    except ValidationError as error:
        raise ArmError(400, "BadArgument", f"{text!r} is no ISO 8601 duration such as PT1M30S.") from error
