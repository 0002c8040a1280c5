"""The rules of datastores: the two that a workspace comes with, and what a user may attach."""

from __future__ import annotations

from typing import Annotated

from azureml_local.arm.grammar import ArmError, Json, not_found
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Document, Store
from azureml_local.routing import part
from azureml_local.settings import (
    BLOB_CONTAINER,
    RESOURCE_GROUP,
    STORAGE_ACCOUNT,
    STORAGE_SUFFIX,
    SUBSCRIPTION_ID,
)
from azureml_local.storage.files import ARTIFACTS

# The containers behind the datastores that every workspace has.
BUILT_IN = {"workspaceblobstore": BLOB_CONTAINER, "workspaceartifactstore": ARTIFACTS}
CREDENTIALS = {
    "AccountKey",
    "Certificate",
    "None",
    "Sas",
    "ServicePrincipal",
    "KerberosKeytab",
    "KerberosPassword",
}
TYPES = {"AzureBlob", "AzureDataLakeGen1", "AzureDataLakeGen2", "AzureFile", "Hdfs", "OneLake"}


class Datastores(Part):
    """The datastores of the workspace, in the store's kind ``datastores``."""

    def __init__(self, store: Store, port: int) -> None:
        self._store = store
        # The SDK makes of the account's name `https://<name>.blob.<suffix>`; a name with a slash makes it a
        # path of ours.
        self._account = f"localhost:{port}/{STORAGE_ACCOUNT}"

    async def start(self) -> None:
        """Make the workspace's own datastores."""
        for name in BUILT_IN:
            if self._store.get("datastores", name) is None:
                self._store.put("datastores", name, {"properties": self._built_in(name)})

    def _built_in(self, name: str) -> Json:
        return {
            "datastoreType": "AzureBlob",
            "accountName": self._account,
            "containerName": BUILT_IN[name],
            "endpoint": STORAGE_SUFFIX,
            "protocol": "https",
            "isDefault": name == "workspaceblobstore",
            "credentials": {"credentialsType": "Sas"},
            "serviceDataAccessAuthIdentity": "None",
            "subscriptionId": SUBSCRIPTION_ID,
            "resourceGroup": RESOURCE_GROUP,
            "description": None,
            "properties": None,
            "tags": None,
        }

    def find(self, name: str) -> Document:
        """The datastore of that name, with its secrets; ArmError 404."""
        document = self._store.get("datastores", name)
        if document is None:
            raise not_found("Datastore", name, "the workspace")
        return document

    def list(self, *, default: bool = False) -> list[Document]:
        """All datastores, or the default one alone."""
        documents = self._store.list("datastores")
        return [one for one in documents if one["properties"].get("isDefault") or not default]

    def public(self, document: Document) -> Json:
        """What a datastore shows of its properties: all but the secrets."""
        properties = dict(document["properties"])
        if document.key in BUILT_IN:
            # The port may be another one since the datastore was made.
            properties["accountName"] = self._account
        credentials = dict(properties.get("credentials", {"credentialsType": "None"}))
        credentials.pop("secrets", None)
        unset = dict.fromkeys(("description", "tags", "properties"))
        return {**unset, **properties, "credentials": credentials}

    def put(self, name: str, properties: Json) -> tuple[Document, bool]:
        """Attach a datastore, or change it; also whether it is new.

        Raises:
            ArmError: 400 for an unknown type of datastore or credentials, or one that the workspace came with.
        """
        _refuse_built_in(name, "changed")
        kind = properties.get("datastoreType")
        credentials = (properties.get("credentials") or {}).get("credentialsType")
        if kind not in TYPES:
            raise ArmError(
                400, "UserError", f"datastoreType {kind!r} is unknown: use one of {sorted(TYPES)}."
            )
        if credentials not in CREDENTIALS:
            raise ArmError(
                400,
                "UserError",
                f"credentialsType {credentials!r} is unknown: use one of {sorted(CREDENTIALS)}.",
            )
        new = self._store.get("datastores", name) is None
        return self._store.put("datastores", name, {"properties": {"isDefault": False, **properties}}), new

    def delete(self, name: str) -> bool:
        """Detach a datastore; whether there was one; ArmError 400 for one that the workspace came with."""
        _refuse_built_in(name, "deleted")
        return self._store.delete("datastores", name)


def _refuse_built_in(name: str, what: str) -> None:
    if name in BUILT_IN:
        raise ArmError(
            400, "UserError", f"The datastore '{name}' belongs to the workspace and cannot be {what}."
        )


DatastoresDep = Annotated[Datastores, part(Datastores)]
