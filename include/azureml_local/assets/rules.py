"""Versioned assets: models, data, components, environments and code, a container per name, versions below.

Rules (MFE): a version's fixed fields cannot be changed, the rest can; ``nextVersion`` counts whole-number
versions; lists show what is not archived unless ``listViewType`` says otherwise.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Final

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.assets.noun import Noun, base, check_name, version_of
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Document, Store
from azureml_local.routing import part
from azureml_local.settings import STORAGE_ACCOUNT
from azureml_local.storage.files import Files
from azureml_local.storage.uris import Uris

# The version by which the SDK asks for a component's newest.
DEFAULT_VERSION: Final = "azureml_default"


class Assets(Part):
    """The assets of the workspace, or of the registry where a noun's ``plural`` says so."""

    def __init__(self, store: Store, uris: Uris, files: Files) -> None:
        self._store, self._uris, self._files = store, uris, files

    def containers(self, noun: Noun) -> list[Document]:
        """All containers, oldest first, without anonymous ones."""
        return [one for one in self._store.list(noun.containers) if not one["properties"].get("isAnonymous")]

    def container(self, noun: Noun, name: str) -> Document:
        """One container; ArmError 404."""
        document = self._store.get(noun.containers, name)
        if document is None:
            raise grammar.not_found(noun.what, name, "the workspace")
        return document

    def put_container(self, noun: Noun, name: str, properties: Json) -> tuple[Document, bool]:
        """Make a container without versions, or change, archive or restore it; also whether it is new.

        Raises:
            ArmError: 400 for a name that is not valid.
        """
        check_name(noun.what, name, "1")
        before = self._store.get(noun.containers, name)
        given = {**(before["properties"] if before else {}), **properties}
        shared = {field: given.get(field) for field in noun.shared}
        return self._store.put(noun.containers, name, {"properties": base(given) | shared}), before is None

    def delete_container(self, noun: Noun, name: str) -> bool:
        """Remove a container with all its versions; whether there was one."""
        was_there = self._store.delete(noun.containers, name)
        for version in self.versions(noun.plural, name):
            self._store.delete(noun.plural, version.key)
        return was_there

    def check_version(self, noun: Noun, name: str, version: str, properties: Json) -> Json:
        """The completed properties of a version that may be put.

        Raises:
            ArmError: 400 for what is refused; 409 if the version exists with other content.
        """
        check_name(noun.what, name, version)
        before = self._store.get(noun.plural, f"{name}/{version}")
        container = self._store.get(noun.containers, name)
        complete = noun.complete(self._uris, name, version, properties)
        if before is not None:
            _refuse_changes(noun, f"{name}:{version}", complete, before["properties"], noun.fixed)
        if container is not None:
            _refuse_changes(noun, name, complete, container["properties"], noun.shared)
        return complete

    def put_version(self, noun: Noun, name: str, version: str, properties: Json) -> tuple[Document, bool]:
        """Create a version, or change what may change of it; also whether it is new.

        Raises:
            ArmError: as :meth:`check_version` does.
        """
        complete = self.check_version(noun, name, version, properties)
        if self._store.get(noun.containers, name) is None:
            shared = {field: complete[field] for field in noun.shared}
            made = base({"isAnonymous": complete["isAnonymous"]}) | shared
            self._store.put(noun.containers, name, {"properties": made})
        new = self._store.get(noun.plural, f"{name}/{version}") is None
        return self._store.put(noun.plural, f"{name}/{version}", {"properties": complete}), new

    def delete_version(self, noun: Noun, name: str, version: str) -> bool:
        """Remove one version; whether there was one."""
        return self._store.delete(noun.plural, f"{name}/{version}")

    def versions(self, plural: str, name: str | None) -> list[Document]:
        """All versions of a name, or of all names, oldest first."""
        return self._store.list(plural, f"{name}/" if name else "")

    def find_version(self, noun: Noun, name: str, version: str) -> Document:
        """A version; :data:`DEFAULT_VERSION` means the newest that is not archived.

        Raises:
            ArmError: 404, naming the versions there are.
        """
        known = self.versions(noun.plural, name)
        if version == DEFAULT_VERSION:
            active = [item for item in known if not item["properties"].get("isArchived")]
            document = active[-1] if active else None
        else:
            document = self._store.get(noun.plural, f"{name}/{version}")
        if document is None:
            there = ", ".join(version_of(item) for item in known) or "none"
            raise ArmError(
                404,
                "ResourceNotFound",
                f"{noun.what} {name}:{version} was not found; versions of {name}: {there}.",
                target=name,
            )
        return document

    def container_body(self, noun: Noun, scope: Scope, document: Document) -> Json:
        """A container as ARM sends it, with ``latestVersion`` and ``nextVersion``."""
        known = self.versions(noun.plural, document.key)
        active = [item for item in known if not item["properties"].get("isArchived")] or known
        properties = {
            **document["properties"],
            "latestVersion": version_of(active[-1]) if active else None,
            "nextVersion": noun.next_version(known),
            "provisioningState": "Succeeded",
        }
        properties.pop("isAnonymous", None)
        return grammar.envelope(
            scope.child(noun.plural, document.key),
            properties,
            created=document.created,
            modified=document.modified,
        )

    def pending_upload(self, scope_id: str) -> Json:
        """A fresh container and the SAS to fill it, as the contract's ``PendingUploadResponseDto``.

        Args:
            scope_id: ARM id of the workspace or registry.
        """
        container = str(uuid.uuid4())
        self._files.path(container).mkdir(parents=True)
        group = scope_id.split("/providers/")[0]
        return {
            "pendingUploadId": str(uuid.uuid4()),
            "pendingUploadType": "TemporaryBlobReference",
            "blobReferenceForConsumption": {
                "blobUri": self._files.url(container),
                "storageAccountArmId": f"{group}/providers/Microsoft.Storage/storageAccounts/{STORAGE_ACCOUNT}",
                "credential": {
                    "credentialType": "SAS",
                    "sasUri": self._files.sas_url(container, permissions="racwl"),
                },
            },
        }


AssetsDep = Annotated[Assets, part(Assets)]


def _refuse_changes(noun: Noun, name: str, complete: Json, before: Json, fields: tuple[str, ...]) -> None:
    for field in fields:
        new, old = noun.essence(field, complete.get(field)), noun.essence(field, before.get(field))
        if new != old:
            # The text about paths is one that the SDK compares with.
            message = f"{noun.what} {name} exists with {_other(field, new, old)}: give a new name or version."
            message = "Asset paths cannot be updated." if field.endswith("Uri") else message
            raise ArmError(409, "UserError", message, target=name)


def _other(field: str, new: object, old: object) -> str:
    """What the version has that is not the same: of an object the names, else the value."""
    if not isinstance(new, dict) or not isinstance(old, dict):
        return f"{field} {old!r}"
    names = sorted(key for key in {*new, *old} if new.get(key) != old.get(key))
    return f"another {', '.join(names)} in its {field}"
