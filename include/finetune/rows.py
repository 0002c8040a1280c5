"""One row of the data: what makes it a conversation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from include.finetune.errors import InputError

ROLES: Final = ("system", "user", "assistant")


def check_row(row: Mapping[str, Any], file: str, line: int) -> None:
    """Check that a row holds a conversation.

    Args:
        row: the row.
        file: where it stands, for the error.
        line: its line, counted from 1.

    Raises:
        InputError: naming file and line.
    """
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
        role = message.get("role") if isinstance(message, Mapping) else None
        content = message.get("content") if isinstance(message, Mapping) else None
        if role not in ROLES or not isinstance(content, str) or not content.strip():
            raise InputError(
                f"{where}: message {number} is {short(message)}, but it must have a role out of "
                f"{', '.join(ROLES)} and a text as content: correct or remove the row."
            )


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write rows as JSON Lines, checked; returns how many.

    Raises:
        InputError: for a malformed row, naming file and line.
    """
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for count, row in enumerate(rows, 1):
            check_row(row, path.name, count)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


def short(value: Any, length: int = 120) -> str:
    """A value as Python writes it, cut off after ``length`` characters."""
    text = repr(value)
    return text if len(text) <= length else text[: length - 1] + "…"
