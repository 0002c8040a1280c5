"""The small language of commands: ``${{inputs.x}}``, ``${{outputs.y}}``, optional groups ``$[[ ... ]]``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

_BINDING = re.compile(r"\$\{\{\s*(?:(inputs|outputs)\.)([A-Za-z_][\w.-]*?)(?:\.path)?\s*\}\}")
_GROUP = re.compile(r"\$\[\[(.*?)\]\]", re.S)
_SHELL = re.compile(r"&&|\|\||[|;<>&`\n]|\$\(|\$[A-Za-z_{]")


class UnknownBindingError(ValueError):
    """A command names an input or output that there is not."""


def argv(command: str, inputs: Mapping[str, str | None], outputs: Mapping[str, str]) -> list[str]:
    """The argument list to run for a command.

    A plain command is split first and filled in afterwards, so that no value can break out of its argument.
    One that uses the shell's operators is filled in as text and handed to bash, as Azure does with all.

    Args:
        command: template from the component or job.
        inputs: value of each input, None where an optional one is unset.
        outputs: local path of each output.

    Raises:
        UnknownBindingError: if the template names what is not there, or an unset input outside a group.
    """

    def group(match: re.Match[str]) -> str:
        names = [binding[2] for binding in _BINDING.finditer(match[1]) if binding[1] == "inputs"]
        return "" if any(inputs.get(name) is None for name in names) else match[1]

    def value(match: re.Match[str]) -> str:
        table: Mapping[str, str | None] = inputs if match[1] == "inputs" else outputs
        filled = table.get(match[2])
        if filled is None:
            raise UnknownBindingError(f"The command uses {match[0]}, which has no value.")
        return filled

    text = _GROUP.sub(group, command).strip()
    if _SHELL.search(_BINDING.sub("x", text)):
        return ["bash", "-eo", "pipefail", "-c", _BINDING.sub(value, text)]
    # Blanks inside a binding would be split at: write each the short way first.
    short = _BINDING.sub(lambda match: f"${{{{{match[1]}.{match[2]}}}}}", text)
    return [_BINDING.sub(value, word) for word in shlex.split(short)]
