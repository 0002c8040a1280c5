"""The small language of commands: ``${{inputs.x}}``, ``${{outputs.y}}``, optional groups ``$[[ ... ]]``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

_BINDING = re.compile(r"\$\{\{\s*(?:(inputs|outputs)\.)([A-Za-z_][\w.-]*?)(?:\.path)?\s*\}\}")
_GROUP = re.compile(r"\$\[\[(.*?)\]\]", re.S)
# What stands in a shell's double quotes for something else than itself.
_SPECIAL = re.compile(r'[\\"$`]')

Quote = Literal["", "'", '"']


class UnknownBindingError(ValueError):
    """A command names an input or output that there is not."""


def argv(
    command: str, inputs: Mapping[str, str | Path | None], outputs: Mapping[str, str | Path]
) -> list[str]:
    """The argument list that runs a command in bash; it ends with the first part that fails.

    Within quotes no value can break out of its argument. Outside of them a literal is put in as text, as Azure
    does, so that one may hold several arguments; a path stays one argument.

    Args:
        command: template from the component or job.
        inputs: value of each input, None where an optional one is unset; a path is a ``Path``.
        outputs: local path, or address, of each output.

    Raises:
        UnknownBindingError: if the template names what is not there, or an unset input outside a group.
    """

    def group(match: re.Match[str]) -> str:
        names = [binding[2] for binding in _BINDING.finditer(match[1]) if binding[1] == "inputs"]
        return "" if any(inputs.get(name) is None for name in names) else match[1]

    text = _GROUP.sub(group, command).strip()
    filled, end, quote = "", 0, _quote("", "")
    for binding in _BINDING.finditer(text):
        before = text[end : binding.start()]
        quote, end = _quote(quote, before), binding.end()
        table: Mapping[str, str | Path | None] = inputs if binding[1] == "inputs" else outputs
        value = table.get(binding[2])
        if value is None:
            raise UnknownBindingError(f"The command uses {binding[0]}, which has no value.")
        filled += before + _written(value, quote)
    return ["bash", "-eo", "pipefail", "-c", filled + text[end:]]


def _quote(quote: Quote, text: str) -> Quote:
    """The quotes that are open after a text, of those that were open before it."""
    characters = iter(text)
    for character in characters:
        if character == "\\" and quote != "'":
            next(characters, None)
        elif quote and character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = "'" if character == "'" else '"'
    return quote


def _written(value: str | Path, quote: Quote) -> str:
    if quote == "'":
        return str(value).replace("'", "'\\''")
    if quote == '"':
        return _SPECIAL.sub(r"\\\g<0>", str(value))
    return shlex.quote(str(value)) if isinstance(value, Path) else value
