"""ARM compares the words of a path without regard to case; routes here have one spelling.

The words are those of the routes themselves: a path's types, and the names of the one resource group,
workspace and registry. Names of anything else are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from azureml_local.settings import REGISTRY, RESOURCE_GROUP, WORKSPACE

_START: Final = re.compile(r"(/mferp/managementfrontend|/history/v1\.0)?/subscriptions/", re.I)
# The tracking API has two addresses, one for each of Azure's own clients.
_TRACKING: Final = ("/mlflow/v2.0/", "/mlflow/v1.0/")
_OWNERS: Final = {"resourcegroups": RESOURCE_GROUP, "workspaces": WORKSPACE, "registries": REGISTRY}


class PathCase:
    """Puts paths into the spelling of the routes.

    Args:
        templates: paths of all routes.
    """

    def __init__(self, templates: Iterable[str]) -> None:
        literal = {part for path in templates for part in path.split("/") if part and "{" not in part}
        self._words = {word.lower(): word for word in literal}

    def __call__(self, path: str) -> str:
        """The path in the routes' spelling; one that is not ARM's comes back as it is."""
        path = path.replace(*_TRACKING, 1) if path.startswith(_TRACKING[0]) else path
        start = _START.match(path)
        if start is None:
            return path
        plane = (start[1] or "").lower()
        parts = path[len(plane) + 1 :].split("/")
        # Types and names take turns; after "providers" comes a namespace, and after it a type again.
        for place in range(0, len(parts), 2):
            kind = parts[place].lower()
            parts[place] = self._words.get(kind, parts[place])
            if place + 1 < len(parts):
                parts[place + 1] = self._name(kind, parts[place + 1])
        return f"{plane}/{'/'.join(parts)}"

    def _name(self, kind: str, name: str) -> str:
        if kind == "providers":
            return self._words.get(name.lower(), name)
        owner = _OWNERS.get(kind, "")
        return owner if owner.lower() == name.lower() else name
