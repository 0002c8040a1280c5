"""Values from rendered templates, which are texts where a template is not native."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Final

from airflow.sdk import conf

from azure_ml.bounds import NAME, cut
from azure_ml.errors import BadInput

MAX_DIGITS: Final = 30


def optional(value: object) -> str | None:
    """``None`` for what a template renders when a parameter is null: an empty text, or ``None`` spelt out."""
    return None if value in (None, "", "None") else str(value)


def names(value: str | Iterable[str] | None) -> list[str] | None:
    """A list from a list, from JSON, or from names with commas between; ``None`` for nothing."""
    if optional(value) is None:
        return None
    if not isinstance(value, str):
        items = [str(item) for item in value or ()]
    elif value.lstrip().startswith("["):
        items = [str(item) for item in json.loads(value)]
    else:
        items = [part.strip() for part in value.split(",") if part.strip()]
    return items or None


def whole(value: object) -> int:
    """A whole number, also from its text or from ``1.0``; raises :class:`BadInput` for any other value."""
    text = str(value).strip()
    try:
        # The length first: Python takes its time over long numbers.
        number = float(text) if len(text) <= MAX_DIGITS and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or not number.is_integer():
        raise BadInput(f"{cut(text, NAME)!r} is no whole number: give one.")
    return int(number)


def truth(value: bool | str) -> bool:
    """A boolean from a boolean or its text; raises :class:`BadInput` for any other text."""
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise BadInput(f"{value!r} is neither true nor false: write one of them.")
    return text == "true"


def deferred(value: bool | str | None) -> bool:
    """Whether to wait in the triggerer; empty means Airflow's ``[operators] default_deferrable``."""
    if optional(value) is None:
        return bool(conf.getboolean("operators", "default_deferrable", fallback=False))
    return truth(str(value))
