"""ISO 8601 durations, as ARM writes probe and request times."""

from __future__ import annotations

import re

from azureml_local.arm.grammar import ArmError

_FORM = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


def seconds(text: str) -> float:
    """Length of a duration such as ``PT1M30S``.

    Raises:
        ArmError: 400 if it is none.
    """
    match = _FORM.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ArmError(400, "BadArgument", f"{text!r} is no ISO 8601 duration such as PT1M30S.")
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest
