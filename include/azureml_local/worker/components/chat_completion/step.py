"""What the five steps share: how they speak, how they fail, how they read "true" and "false"."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Environment of every step: no Hub, no telemetry, no progress bars in a log file.

Threads that wait must sleep: spinning ones slow training down tenfold once another process wants the cores.
"""


class StepError(Exception):
    """The step cannot do its work; the message is one sentence for the reader of the log."""


def say(text: str) -> None:
    """Print a line to the log at once."""
    print(text, flush=True)


def run(main: Callable[[], None]) -> None:
    """Run a step; a :class:`StepError` ends the process with status 1 and its sentence in the log."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # What transformers warns its own callers of is nothing that a reader of this log could change.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    try:
        main()
    except StepError as error:
        say(f"Error: {error}")
        sys.exit(1)


def truth(text: str) -> bool:
    """``"true"`` or ``"false"``, as the component's enums spell them.

    Raises:
        ValueError: for any other text; argparse turns it into its own message.
    """
    if text.lower() not in {"true", "false"}:
        raise ValueError(f"{text!r} is neither 'true' nor 'false'")
    return text.lower() == "true"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; raises StepError: if the file is missing or holds no JSON object."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise StepError(
            f"{path.name} cannot be read as JSON: {error}. Give a file with one JSON object."
        ) from error
    if not isinstance(content, dict):
        raise StepError(f"{path.name} holds a {type(content).__name__}: give a file with one JSON object.")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object; the folder is made if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, default=str) + "\n")
