"""How much of a text from outside is kept: in a log line, an error, a result; the one place for it.

Logs, the service's messages, a model's answers, names and tags of others may be of any length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from azure_ml.payload import Payload

NAME: Final = 200  # characters of a name, a state, a tag's value
LINE: Final = 4_000  # of one line of a log
MESSAGE: Final = 600  # of a sentence of the service's
ERROR: Final = 12_000  # of an error with its last lines
TEXT: Final = 20_000  # of a text in a result, such as a model's answer
ITEMS: Final = 1_000  # of a list or a mapping in a result
TAIL_LINES: Final = 15
TAIL_BYTES: Final = 16_384  # of a log, of which the last lines are shown


def cut(text: str, limit: int) -> str:
    """A text of at most about ``limit`` characters, with how many are left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text) - limit} more characters)"


def last_lines(lines: Sequence[str], count: int = TAIL_LINES, limit: int | None = None) -> list[str]:
    """The last lines, each cut to a limit; without one so that an error can hold them all."""
    return [cut(line, limit or ERROR // 2 // count) for line in lines[-count:]]


def bounded(result: Payload) -> Payload:
    """A result whose texts, lists and mappings have a bounded length; a text that is cut says so."""
    return {cut(key, NAME): _bounded(value) for key, value in list(result.items())[:ITEMS]}


def _bounded(value: object) -> object:
    if isinstance(value, str):
        return cut(value, TEXT)
    if isinstance(value, Mapping):
        return bounded(dict(value))
    if isinstance(value, (list, tuple)):
        return [_bounded(item) for item in value[:ITEMS]]
    return value
