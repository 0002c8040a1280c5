"""Rules for names, which end up in a path, a URL or a shell; those of the service and of the portal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from azure_ml.errors import BadInput

Named = Literal["endpoint", "deployment", "compute", "asset", "registry model", "version", "experiment"]


@dataclass(frozen=True)
class _Rule:
    pattern: re.Pattern[str]
    words: str


_ENDPOINT: Final = _Rule(
    re.compile(r"[a-zA-Z][-a-zA-Z0-9]{1,30}[a-zA-Z0-9]"),
    "it must have 3 to 32 letters, digits or dashes, begin with a letter and not end with a dash",
)
_ASSET: Final = _Rule(
    re.compile(r"(?!.*\.\.)[a-zA-Z0-9][\w.-]{0,254}", re.ASCII),
    "it must have up to 255 letters, digits, dashes, underscores or single dots, and begin with one of the "
    "first two",
)

RULES: Final[dict[Named, _Rule]] = {
    "endpoint": _ENDPOINT,
    "deployment": _ENDPOINT,
    "compute": _Rule(
        re.compile(r"[a-zA-Z][-a-zA-Z0-9]{1,22}[a-zA-Z0-9]"),
        "it must have 3 to 24 letters, digits or dashes, begin with a letter and not end with a dash",
    ),
    "asset": _ASSET,
    "registry model": _Rule(
        re.compile(r"(?!.*\.\.)[a-zA-Z0-9][\w.-]{0,127}(/[a-zA-Z0-9][\w.-]{0,127})?", re.ASCII),
        "it must be a name from the model catalogue, of letters, digits, dashes, underscores and dots",
    ),
    "version": _Rule(
        re.compile(r"(?!.*\.\.)[a-zA-Z0-9][\w.-]{0,29}", re.ASCII),
        "it must have up to 30 letters, digits, dashes, underscores or single dots",
    ),
    "experiment": _ASSET,
}


def require_name(kind: Named, name: str) -> None:
    """Raise :class:`BadInput` if the service would refuse the name."""
    rule = RULES[kind]
    if not rule.pattern.fullmatch(name):
        article = "an" if kind[0] in "aeiou" else "a"
        raise BadInput(f"{name!r} cannot be the name of {article} {kind}: {rule.words}.")
