"""What a kind of asset is, and how one version of it looks.

A noun gives its name, which fields never change, and how a version's properties are completed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.engine.store import Document
from azureml_local.storage.uris import Uris

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,254}")
# The label of the newest version that is not archived.
DEFAULT_LABEL = "default"
# From name, version and given properties to the stored ones; raises ArmError for what is refused.
Complete = Callable[[Uris, str, str, Json], Json]


def _whole(_: str, value: Any) -> Any:
    return value


def version_of(document: Document) -> str:
    """The version in a document's key."""
    return document.key.split("/", 1)[1]


def next_number(known: list[Document]) -> str:
    """One more than the highest whole-number version."""
    numbers = [int(tail) for item in known if (tail := version_of(item)).isdecimal()]
    return str(max(numbers, default=0) + 1)


@dataclass(frozen=True)
class Noun:
    """One kind of asset."""

    # Path segment, and kind in the store, for example ``models``.
    plural: str
    # Name in messages.
    what: str
    # Properties that never change once a version exists.
    fixed: tuple[str, ...]
    complete: Complete
    # Properties that all versions of a name, and the container, have in common.
    shared: tuple[str, ...] = ()
    # What of a fixed property must stay, from its name and value.
    essence: Callable[[str, Any], Any] = _whole
    # Whether a list by hash goes over all names: the SDK uploads no code twice.
    by_content: bool = False
    # The version that the container offers, from all there are.
    next_version: Callable[[list[Document]], str] = next_number

    @property
    def containers(self) -> str:
        """Kind of the containers' documents."""
        return f"{self.plural}Containers"


_OPTIONAL = ("stage", "autoDeleteSetting")


def base(properties: Json) -> Json:
    """The fields that every version has."""
    return {
        "description": properties.get("description"),
        "tags": _texts(properties.get("tags")),
        "properties": _texts(properties.get("properties")),
        "isArchived": bool(properties.get("isArchived")),
        "isAnonymous": bool(properties.get("isAnonymous")),
        **{field: properties[field] for field in _OPTIONAL if properties.get(field) is not None},
    }


def _texts(values: Json | None) -> Json:
    """Tags and properties are text, whatever a client sends."""
    return {key: value if value is None else str(value) for key, value in (values or {}).items()}


def check_name(what: str, name: str, version: str) -> None:
    """Refuse names and versions that Azure ML does not allow; ArmError 400."""
    for word in (name, version):
        if not NAME.fullmatch(word):
            raise ArmError(
                400,
                "UserError",
                f"{what} name or version {word!r} is not valid: use letters, digits, '-', '_' and '.'.",
                target=word,
            )


def version_body(noun: Noun, scope: Scope, document: Document, label: str | None = None) -> Json:
    """A version as ARM sends it; one that was asked for by a label has the label in its id."""
    name, version = document.key.split("/", 1)
    sent = grammar.envelope(
        scope.child(noun.plural, name, "versions", version),
        {**document["properties"], "provisioningState": "Succeeded"},
        created=document.created,
        modified=document.modified,
    )
    return sent | {"id": scope.child(noun.plural, name, "labels", label)} if label else sent
