"""What the registry holds: the catalogue's assets, and those that users have published, in one form.

Published assets are in the store under ``registry/<plural>``.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets import codes, components, data, environments, models
from azureml_local.assets.noun import Noun, version_of
from azureml_local.assets.rules import DEFAULT_VERSION, Assets
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.operations import Operations
from azureml_local.engine.store import Document, Store
from azureml_local.registry import catalogue
from azureml_local.registry.catalogued import Catalogued, asset_id
from azureml_local.routing import part
from azureml_local.settings import REGISTRY, RESOURCE_GROUP, SUBSCRIPTION_ID, Settings
from azureml_local.storage.files import ACCOUNT_HOST, REGISTRY_CONTAINER, Files

# The kinds of assets that a registry holds, by path segment.
NOUNS = {
    noun.plural: replace(noun, plural=f"registry/{noun.plural}")
    for noun in (models.NOUN, data.NOUN, components.NOUN, environments.NOUN, codes.NOUN)
}
ARM_ID = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}"
    f"/providers/{grammar.PROVIDER}/registries/{REGISTRY}"
)
# Noun of the time policy, and kind of what is being published; it is not to be seen before that is done.
PUBLISHED = "registryAssets"


def noun(plural: str) -> Noun:
    """The kind of that path segment; ArmError 501 for one that is not served."""
    if plural not in NOUNS:
        raise ArmError(
            501, "NotImplemented", f"The local registry has no {plural!r}: use one of {', '.join(NOUNS)}."
        )
    return NOUNS[plural]


class Holdings(Part):
    """Reads the registry's assets, and publishes into it."""

    def __init__(
        self, store: Store, files: Files, assets: Assets, operations: Operations, settings: Settings
    ) -> None:
        self._store, self._files, self._assets, self._operations = store, files, assets, operations
        self._catalogued, self._settings = Catalogued(files, settings), settings
        operations.register(f"{PUBLISHED}.publish", self._publish)

    def names(self, plural: str) -> list[str]:
        """Every name of a kind, in order."""
        listed = {document["name"] for document in catalogue.documents(plural)}
        return sorted(listed | {document.key for document in self._store.list(noun(plural).containers)})

    def versions(self, plural: str, name: str) -> list[Document]:
        """All versions of a name, oldest first: the catalogue's, then the published."""
        return self._catalogued.versions(plural, name) + self._assets.versions(noun(plural).plural, name)

    def find(self, plural: str, name: str, version: str) -> Document:
        """One version; :data:`azureml_local.assets.rules.DEFAULT_VERSION` is the newest not archived.

        Raises:
            ArmError: 404, naming the versions there are.
        """
        known = self.versions(plural, name)
        for document in reversed(known):
            newest = version == DEFAULT_VERSION and not document["properties"]["isArchived"]
            if newest or document.key == f"{name}/{version}":
                return document
        there = ", ".join(version_of(item) for item in known) or "none"
        what = noun(plural).what
        raise ArmError(
            404,
            "ResourceNotFound",
            f"{what} {name}:{version} is not in registry {REGISTRY}; versions of {name}: {there}.",
            target=name,
        )

    def container_body(self, plural: str, name: str) -> Json:
        """A container with its latest and next version; ArmError 404 if there is no asset of that name."""
        known = self.versions(plural, name)
        if not known:
            raise grammar.not_found(noun(plural).what, name, f"registry {REGISTRY}")
        active = [item for item in known if not item["properties"]["isArchived"]] or known
        latest = active[-1]
        properties = {
            "description": latest["properties"].get("description"),
            "tags": {},
            "properties": {},
            "isArchived": all(item["properties"]["isArchived"] for item in known),
            "latestVersion": version_of(latest),
            "nextVersion": noun(plural).next_version(known),
            "provisioningState": "Succeeded",
        }
        sent = grammar.envelope(
            f"{ARM_ID}/{plural}/{name}", properties, created=known[0].created, modified=latest.modified
        )
        return sent | {"id": f"azureml://registries/{REGISTRY}/{plural}/{name}"}

    def begin_publish(self, plural: str, name: str, version: str, properties: Json) -> str:
        """Publish a version, or change what may change of a published one; the id of the operation.

        Raises:
            ArmError: 400 for what is refused; 409 for a version that the catalogue holds, that exists with
                other content, or that is being published.
        """
        if plural in ("models", "components", "environments") and any(
            (item["name"], str(item["version"])) == (name, version) for item in catalogue.documents(plural)
        ):
            raise ArmError(
                409,
                "UserError",
                f"{name}:{version} belongs to the catalogue and cannot be changed.",
                target=name,
            )
        self._assets.check_version(noun(plural), name, version, properties)
        key = f"{plural}/{name}/{version}"
        if self._operations.active(PUBLISHED, key) is not None:
            raise ArmError(409, "UserError", f"{name}:{version} is being published already.", target=name)
        self._store.put(PUBLISHED, key, {"given": properties})
        return self._operations.begin(f"{PUBLISHED}.publish", key)

    async def _publish(self, key: str) -> None:
        plural, name, version = key.split("/")
        pending = self._store.get(PUBLISHED, key)
        if pending is not None:
            self._assets.put_version(noun(plural), name, version, pending["given"])
            self._store.delete(PUBLISHED, key)

    def link_weights(self, name: str, version: str) -> None:
        """Let the registry's container show a folder of weights, without a copy of it.

        Raises:
            ArmError: 404 if there is no such model, or its weights are not on this machine.
        """
        link = self._files.path(REGISTRY_CONTAINER, f"models/{name}/{version}")
        folder = catalogue.model_folder(self._settings, name, version)
        if not link.is_symlink() or Path(os.readlink(link)) != folder:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(folder)


HoldingsDep = Annotated[Holdings, part(Holdings)]


def body(plural: str, document: Document, label: str | None = None) -> Json:
    """A version as the registry's data plane sends it (2021-10-01-dataplanepreview); see ``version_body``."""
    name, version = document.key.split("/", 1)
    properties = {**document["properties"], "provisioningState": "Succeeded"}
    for field in {"modelUri", "dataUri", "codeUri"} & set(properties):
        # Without the account's segment: the SDK takes an address's first segment for the container.
        properties[field] = properties[field].replace(f"/{ACCOUNT_HOST}/", "/")
    sent = grammar.envelope(
        f"{ARM_ID}/{plural}/{name}/versions/{version}",
        properties,
        created=document.created,
        modified=document.modified,
    )
    if label:
        return sent | {"id": f"azureml://registries/{REGISTRY}/{plural}/{name}/labels/{label}"}
    return sent | {"id": asset_id(plural, name, version)}
