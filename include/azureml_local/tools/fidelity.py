"""``python -m azureml_local.tools.fidelity [--write]``: which of Azure ML's operations are served.

The rows come from the routes, their text from the first line of each docstring; what is served in part,
not at all, or otherwise than in Azure stands in ``fidelity.yaml``.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from azureml_local.arm import grammar
from azureml_local.front.app import ROUTERS
from azureml_local.storage.files import ACCOUNT_HOST

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "azureml-local-fidelity.md"
NOTES = Path(__file__).with_suffix(".yaml")
_REGISTRY = grammar.WORKSPACE_PATH.replace("workspaces/{workspace}", "registries/{registry_name}")
# Prefixes of routes, and what stands for them in the document; a workspace's own have nothing.
_PLANES = (
    (grammar.WORKSPACE_PATH, ""),
    (f"/history/v1.0{grammar.WORKSPACE_PATH}", "history "),
    (f"/mlflow/v1.0{grammar.WORKSPACE_PATH}/api/2.0/mlflow", "mlflow "),
    (f"/mlflow/v1.0{grammar.WORKSPACE_PATH}/api/2.0", "mlflow "),
    (f"/data/v1.0{grammar.WORKSPACE_PATH}", "data plane "),
    (f"/mferp/managementfrontend{_REGISTRY}", "registry "),
    (f"/subscriptions/{{subscription}}/providers/{grammar.PROVIDER}", "subscription "),
    (f"/{ACCOUNT_HOST}", "storage "),
)
_INTRODUCTION = """\
# What of Azure ML the local service serves

Made from the code by `python -m azureml_local.tools.fidelity --write`; a test fails when it is stale.

Paths are below the workspace, unless a word before them names another plane: *subscription*, *registry*,
*history*, *mlflow*, *data plane*, *storage*. **served**: as the SDK, or the tool that asks, expects of Azure.
**partly**: with the limits named. **not (501)**: refused with an error that names the route, as is everything
that is not in this document.
"""


@dataclass(frozen=True, order=True)
class Row:
    """One operation: its plane, method and path; the state; what it does."""

    operation: str
    state: str
    text: str


class Notes(BaseModel):
    """The content of ``fidelity.yaml``."""

    model_config = ConfigDict(strict=True, extra="forbid")

    # One sentence each.
    differences: list[str]
    # Limits by operation, as the document prints it.
    partly: dict[str, str]
    # What would be there, by operation.
    not_served: dict[str, str]


def notes() -> Notes:
    """Read ``fidelity.yaml``.

    Raises:
        ValidationError: for anything but texts, such as what an unquoted colon makes of one.
    """
    return Notes.model_validate(yaml.safe_load(NOTES.read_text()))


def sections() -> dict[str, list[Row]]:
    """The rows of the served operations by the title of their router."""
    partly, tables = notes().partly, {}
    for router in ROUTERS:
        # A route that has several addresses has one row, by the shortest.
        paths: dict[Any, APIRoute] = {}
        for route in router.routes:
            if isinstance(route, APIRoute):
                key = (route.endpoint, *sorted(route.methods))
                paths[key] = min(paths.get(key, route), route, key=lambda one: len(one.path))
        tables[_first_line(str(router.tags[0]))] = [_row(route, partly) for route in paths.values()]
    return tables


def _row(route: APIRoute, partly: dict[str, str]) -> Row:
    operation = f"{'/'.join(sorted(route.methods))} {_short(route.path)}"
    text, limit = _first_line(route.endpoint.__doc__), partly.get(operation)
    return Row(operation, "partly" if limit else "served", f"{text} *{_sentence(limit)}*" if limit else text)


def _short(path: str) -> str:
    for prefix, plane in sorted(_PLANES, key=lambda one: -len(one[0])):
        if path.startswith(prefix):
            rest = plane + path.removeprefix(prefix).removeprefix("/")
            return re.sub(r":path\}", "}", rest).strip() or "the workspace"
    return re.sub(r":path\}", "}", path)


def _first_line(text: str | None) -> str:
    line = (text or "").strip().split("\n")[0]
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", line).replace("``", "`")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def document() -> str:
    """The whole document."""
    said, parts = notes(), [_INTRODUCTION]
    parts.append("## Known differences\n\n" + "".join(f"- {line}\n" for line in said.differences))
    for title, rows in sections().items():
        parts.append(f"## {title.rstrip('.')}\n\n{_table(rows)}")
    missing = [Row(operation, "not (501)", _sentence(why)) for operation, why in said.not_served.items()]
    parts.append(f"## Not served\n\n{_table(missing)}")
    return "\n".join(parts)


def _table(rows: list[Row]) -> str:
    lines = "".join(f"| `{row.operation}` | {row.state} | {row.text} |\n" for row in rows)
    return f"| operation | state | what it does |\n|---|---|---|\n{lines}"


def main() -> int:
    """Print the document, or with ``--write`` put it in its place; returns the exit code."""
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(document())
    else:
        print(document(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
