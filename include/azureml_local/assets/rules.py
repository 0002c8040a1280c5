"""Versioned assets: models, data, components, environments and code, a container per name, versions below.

A noun gives its name, which fields never change, and how a version's properties are completed.
Rules (MFE): a version's fixed fields cannot be changed, the rest can; ``nextVersion`` counts whole-number
versions; lists show what is not archived unless ``listViewType`` says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.engine.store import Document

if TYPE_CHECKING:
    from azureml_local.service import Service

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,254}")
DEFAULT_VERSION = "azureml_default"
"""The version by which the SDK asks for a component's newest."""

Complete = Callable[["Service", str, str, Json], Json]


@dataclass(frozen=True)
class Noun:
    """One kind of asset.

    Attributes:
        plural: its path segment and kind in the store, for example ``models``.
        what: its name in messages.
        fixed: properties that never change once a version exists.
        complete: makes the stored properties of a version from the given ones; raises ArmError for what
            is refused.
        shared: properties that all versions of a name have in common, and the container too.
    """

    plural: str
    what: str
    fixed: tuple[str, ...]
    complete: Complete
    shared: tuple[str, ...] = ()

    @property
    def containers(self) -> str:
        """Kind of the containers' documents."""
        return f"{self.plural}Containers"


def base(properties: Json) -> Json:
    """The fields that every version has."""
    return {
        "description": properties.get("description"),
        "tags": _texts(properties.get("tags")),
        "properties": _texts(properties.get("properties")),
        "isArchived": bool(properties.get("isArchived")),
        "isAnonymous": bool(properties.get("isAnonymous")),
    }


def _texts(values: Json | None) -> Json:
    """Tags and properties are text, whatever a client sends."""
    return {key: value if value is None else str(value) for key, value in (values or {}).items()}


def check_name(what: str, name: str, version: str) -> None:
    """Refuse names and versions that Azure ML does not allow.

    Raises:
        ArmError: 400.
    """
    for part in (name, version):
        if not NAME.fullmatch(part):
            raise ArmError(
                400,
                "UserError",
                f"{what} name or version {part!r} is not valid: use letters, digits, '-', '_' and '.'.",
                target=part,
            )


def check_version(local: Service, noun: Noun, name: str, version: str, properties: Json) -> Json:
    """The completed properties of a version that may be put.

    Raises:
        ArmError: 400 for what is refused; 409 if the version exists with other content.
    """
    check_name(noun.what, name, version)
    before, container = (
        local.store.get(noun.plural, f"{name}/{version}"),
        local.store.get(noun.containers, name),
    )
    complete = noun.complete(local, name, version, properties)
    if before is not None:
        _refuse_changes(noun, f"{name}:{version}", complete, before["properties"], noun.fixed)
    if container is not None:
        _refuse_changes(noun, name, complete, container["properties"], noun.shared)
    return complete


def put_version(
    local: Service, noun: Noun, name: str, version: str, properties: Json
) -> tuple[Document, bool]:
    """Create a version, or change what may change of it; tells whether it is new.

    Raises:
        ArmError: as :func:`check_version` does.
    """
    complete = check_version(local, noun, name, version, properties)
    if local.store.get(noun.containers, name) is None:
        made = base({"isAnonymous": complete["isAnonymous"]}) | {
            field: complete[field] for field in noun.shared
        }
        local.store.put(noun.containers, name, {"properties": made})
    new = local.store.get(noun.plural, f"{name}/{version}") is None
    return local.store.put(noun.plural, f"{name}/{version}", {"properties": complete}), new


def _refuse_changes(noun: Noun, name: str, wanted: Json, there: Json, fields: tuple[str, ...]) -> None:
    for field in fields:
        if wanted.get(field) != there.get(field):
            # The text about paths is one that the SDK compares with.
            message = (
                f"{noun.what} {name} exists with {field} {there.get(field)!r}: give a new name or version."
            )
            message = "Asset paths cannot be updated." if field.endswith("Uri") else message
            raise ArmError(409, "UserError", message, target=name)


def versions(local: Service, plural: str, name: str) -> list[Document]:
    """All versions of a name, oldest first."""
    return local.store.list(plural, f"{name}/")


def find_version(local: Service, noun: Noun, name: str, version: str) -> Document:
    """A version; :data:`DEFAULT_VERSION` means the newest that is not archived.

    Raises:
        ArmError: 404.
    """
    if version == DEFAULT_VERSION:
        active = [
            item for item in versions(local, noun.plural, name) if not item["properties"].get("isArchived")
        ]
        document = active[-1] if active else None
    else:
        document = local.store.get(noun.plural, f"{name}/{version}")
    if document is None:
        there = ", ".join(item.key.split("/", 1)[1] for item in versions(local, noun.plural, name)) or "none"
        raise ArmError(
            404,
            "ResourceNotFound",
            f"{noun.what} {name}:{version} was not found; versions of {name}: {there}.",
            target=name,
        )
    return document


def next_version(local: Service, plural: str, name: str) -> str:
    """One more than the highest whole-number version."""
    numbers = [
        int(tail) for item in versions(local, plural, name) if (tail := item.key.split("/", 1)[1]).isdecimal()
    ]
    return str(max(numbers, default=0) + 1)


def version_body(noun: Noun, scope: Scope, document: Document) -> Json:
    """A version as ARM sends it."""
    name, version = document.key.split("/", 1)
    return grammar.envelope(
        scope.child(noun.plural, name, "versions", version),
        {**document["properties"], "provisioningState": "Succeeded"},
        created=document.created,
        modified=document.modified,
    )


def container_body(local: Service, noun: Noun, scope: Scope, document: Document) -> Json:
    """A container as ARM sends it, with ``latestVersion`` and ``nextVersion``."""
    known = versions(local, noun.plural, document.key)
    active = [item for item in known if not item["properties"].get("isArchived")] or known
    properties = {
        **document["properties"],
        "latestVersion": active[-1].key.split("/", 1)[1] if active else None,
        "nextVersion": next_version(local, noun.plural, document.key),
        "provisioningState": "Succeeded",
    }
    properties.pop("isAnonymous", None)
    return grammar.envelope(
        scope.child(noun.plural, document.key),
        properties,
        created=document.created,
        modified=document.modified,
    )
