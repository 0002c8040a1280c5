"""Rows to JSON Lines, one by one: mapped, checked, counted; bad ones fail the file or are dropped."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from include.finetune.data.choice import DROP, Choice
from include.finetune.data.conversation import Problem, problem_of
from include.finetune.data.mapping import MessageMapping
from include.finetune.data.progress import Progress
from include.finetune.errors import InputError

log = logging.getLogger(__name__)

# What some readers take for the end of a line; in JSON the two spellings mean the same.
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in "\u2028\u2029\x85"})


HINTS: Final = {
    "unknown role": """ (or say in mapping what a role is, for example {"roles": {"human": "user"}})""",
    "content is no text": " (or say in mapping which field holds the text)",
}


@dataclass
class Counts:
    """What has become of the rows of a split."""

    # Rows read.
    read: int = 0
    # Rows written.
    kept: int = 0
    # How many were dropped, by reason.
    dropped: Counter[str] = field(default_factory=Counter)
    # Rows whose text was joined from parts.
    joined: int = 0

    def line(self) -> str:
        """The counts in words."""
        reasons = ", ".join(f"{kind} {count:,}" for kind, count in self.dropped.most_common())
        return (
            f"{self.read:,} rows read, {self.kept:,} kept, {self.dropped.total():,} dropped"
            + (f" ({reasons})" if reasons else "")
            + (f"; in {self.joined:,} the text was joined from its parts" if self.joined else "")
        )


def to_line(messages: Iterable[Mapping[str, Any]]) -> str:
    r"""A conversation as a line that ends at ``\\n`` for every reader; roles and texts are all it holds."""
    plain = [{"role": message["role"], "content": message["content"]} for message in messages]
    return json.dumps({"messages": plain}, ensure_ascii=False, allow_nan=False).translate(_ESCAPED) + "\n"


def write_rows(
    rows: Iterable[tuple[str, Mapping[str, Any] | Problem]],
    path: Path,
    mapping: MessageMapping,
    choice: Choice,
    progress: Progress,
    *,
    learn: bool,
) -> Counts:
    """Write a split; memory does not grow with it.

    Args:
        rows: each with its place.
        path: where to.
        mapping: how a row becomes messages.
        choice: says what to do with a bad row.
        progress: counts the rows.
        learn: the rows are trained on.

    Raises:
        InputError: for a bad row, naming file and line; or if too many are dropped, or none is left.
    """
    counts, example = Counts(), ""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for place, row in rows:
            progress.row()
            counts.read += 1
            problem = _write(row, file, mapping, counts, learn)
            if problem is not None:
                text = f"{place}: {problem.text}{HINTS.get(problem.kind, '')}"
                if choice.on_bad_row != DROP:
                    raise InputError(f"{text}: correct or remove the row, or set on_bad_row to 'drop'.")
                example = example or text
                counts.dropped[problem.kind] += 1
    _require_enough(counts, example, choice, progress.split)
    return counts


def _write(
    row: Mapping[str, Any] | Problem, file: TextIO, mapping: MessageMapping, counts: Counts, learn: bool
) -> Problem | None:
    if isinstance(row, Problem):
        return row
    messages, joined = mapping.apply(row)
    if problem := problem_of(messages, learn=learn):
        return problem
    file.write(to_line(messages))
    counts.kept += 1
    counts.joined += joined
    return None


def _require_enough(counts: Counts, example: str, choice: Choice, split: str) -> None:
    log.info("%s: %s.", split, counts.line())
    share = 100 * counts.dropped.total() / max(1, counts.read)
    if share > choice.bad_row_limit_pc:
        raise InputError(
            f"{split}: {counts.line()}; that is {share:.3g} % and bad_row_limit_pc is {choice.bad_row_limit_pc:g}. "
            f"The first: {example}"
        )
    if not counts.kept:
        raise InputError(f"{split}: {counts.line()}; there is nothing to work with: choose other data.")
