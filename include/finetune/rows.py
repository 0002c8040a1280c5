"""One row of the data: whether it is a conversation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from include.finetune.errors import InputError

ROLES: Final = ("system", "user", "assistant")


def check_row(row: Mapping[str, Any], file: str, line: int) -> None:
    """Raise ``InputError``, with file and line (from 1), unless the row holds a conversation."""
    where = f"{file}, line {line}"
    if "messages" not in row:
        raise InputError(
            f"{where}: the row has no column 'messages' but {', '.join(map(repr, row)) or 'none'}."
        )
    messages = row["messages"]
    if not isinstance(messages, list) or not messages:
        raise InputError(
            f"{where}: 'messages' is {short(messages)}, not a list of messages: correct or remove the row."
        )
    for number, message in enumerate(messages, 1):
        if not _is_message(message):
            raise InputError(
                f"{where}: message {number} is {short(message)}, but it must have a role out of "
                f"{', '.join(ROLES)} and a text as content: correct or remove the row."
            )


def _is_message(message: object) -> bool:
    if not isinstance(message, Mapping):
        return False
    content = message.get("content")
    return message.get("role") in ROLES and isinstance(content, str) and bool(content.strip())


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Check rows, write them as JSON Lines, and return their number; raises as :func:`check_row`."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for count, row in enumerate(rows, 1):
            check_row(row, path.name, count)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def short(value: Any, length: int = 120) -> str:
    """``repr`` of a value, cut to ``length`` characters."""
    text = repr(value)
    return text if len(text) <= length else text[: length - 1] + "…"
