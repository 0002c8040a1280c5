"""What a job's body says in words that are resolved when it is submitted: expressions, modes, spellings."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from pydantic.alias_generators import to_camel

from azureml_local.arm.grammar import ArmError, Json

_EXPRESSION = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")
# How data come to a command, and go: as a path, as a private copy, as an address.
Mode = Literal["mount", "download", "direct"]
_MODES: Final[dict[str, Mode]] = {
    "": "mount",
    "mount": "mount",
    "romount": "mount",
    "rwmount": "mount",
    "readonlymount": "mount",
    "readwritemount": "mount",
    "download": "download",
    "upload": "mount",
    "direct": "direct",
}


def field(body: Json, name: str) -> Any:
    """A field in the spelling of components (``instance_count``) or of ARM (``instanceCount``)."""
    value = body.get(name)
    return body.get(to_camel(name)) if value is None else value


def part(body: Json, name: str) -> Json:
    """A field that is an object; an empty one where it is absent."""
    value = field(body, name)
    return dict(value) if isinstance(value, dict) else {}


def mode(given: Any, where: str) -> Mode:
    """A delivery mode, in the spelling of components or of ARM.

    Raises:
        ArmError: 400 for an unknown mode; 501 for those that evaluate an MLTable.
    """
    word = str(given or "").replace("_", "").lower()
    if word.startswith("eval"):
        raise ArmError(
            501,
            "NotImplemented",
            f"{where} has the mode {given!r}: MLTables are not evaluated here; use mount, download or direct.",
        )
    if word not in _MODES:
        raise ArmError(
            400, "UserError", f"{where} has the mode {given!r}: use one of mount, download, direct."
        )
    return _MODES[word]


def output_path(path: str, where: str, *, name: str, output: str, datastore: str) -> str:
    """The path of an output with its expressions resolved.

    Source: the documentation of expressions lists three that the service resolves; ``name`` is the step's.

    Raises:
        ArmError: 400 for any other expression.
    """
    known = {"default_datastore": datastore, "name": name, "output_name": output}

    def value(expression: re.Match[str]) -> str:
        if expression[1] not in known:
            listed = ", ".join(f"${{{{{word}}}}}" for word in known)
            raise ArmError(
                400,
                "UserError",
                f"{where} has the path {path}: {expression[0]} is none of {listed}.",
                target=output,
            )
        return known[expression[1]]

    return _EXPRESSION.sub(value, path)
