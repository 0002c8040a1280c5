"""The fields of the form: their patterns and bounds, and how one is declared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from airflow.sdk import Param

from azure_ml.hook.jobs.budgets import MAX_TIMEOUT

# Browser and API server refuse what could be read as a path, a URL or a shell's word. JSON Schema searches, so
# each has its ends, and Python's "$" lets a new line through; what they all let through is checked again, with a
# sentence, before anything is paid for.
_END: Final = r"(?!\n)$"
HUB_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*" + _END
MODEL_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?" + _END
PLAIN_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*" + _END
CLUSTER_NAME: Final = r"^[A-Za-z][A-Za-z0-9-]*" + _END
VM_SIZE: Final = r"^[A-Za-z][A-Za-z0-9_]*" + _END
HOURS: Final = MAX_TIMEOUT // timedelta(hours=1)

SCHEDULERS: Final = (
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
)
RECIPE: Final = "Leave it empty for the model's own default, or else the recipe's"


def field(kind: str, title: str, default: object, description: str, **schema: Any) -> Callable[..., Param]:
    """A field whose section is still to be given; it may be left empty if its default is ``None``."""
    type_ = kind if default is not None else ["null", kind]
    return partial(Param, default, type=type_, title=title, description=description, **schema)
