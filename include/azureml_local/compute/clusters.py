"""Compute clusters (AmlCompute): their life from PUT to deletion, and their nodes as they are now."""

from __future__ import annotations

import re
from typing import Annotated

from typing_extensions import override

from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.compute import schemas, settings, sizes
from azureml_local.compute.nodes import Nodes
from azureml_local.compute.quota import Quota
from azureml_local.engine.operations import Operations
from azureml_local.engine.resources import Resources
from azureml_local.engine.store import Document, Store, now
from azureml_local.routing import part
from azureml_local.settings import LOCATION

# Source: ``ComputeNameParameter`` of the published contract, 2023-08-01-preview: 3 to 24 characters.
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")


class Clusters(Resources[schemas.Compute, schemas.ComputeChanges]):
    """The clusters of the workspace."""

    kind, what = "computes", "Compute"
    body, changes = schemas.Compute, schemas.ComputeChanges
    family = "computes"
    summaries = (
        "All computes.",
        "One compute.",
        "Create or change a cluster; a long-running operation.",
        "Change the scale settings; a long-running operation.",
        "Delete a cluster; a long-running operation. 404 if there is none, 409 while another operation runs.",
    )

    def __init__(self, store: Store, operations: Operations, nodes: Nodes, quota: Quota) -> None:
        super().__init__(store, operations)
        self._nodes, self._quota = nodes, quota

    @override
    def check_name(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise ArmError(
                400,
                "BadArgument",
                f"The compute name {name!r} is not valid: 3 to 24 letters, digits and dashes, a letter first.",
                target="name",
            )

    @override
    def accept(self, key: str, body: schemas.Compute, before: Document | None) -> Json:
        given = body.properties
        inner = settings.complete(settings.check_type(given))
        size, scale = sizes.size(inner["vmSize"]), inner["scaleSettings"]
        if before is not None:
            settings.refuse_other_machines(key, before, size, inner["vmPriority"])
        # A cluster may grow to its largest at any time, so that is what counts.
        low_priority = inner["vmPriority"] == "LowPriority"
        self._quota.check(key, size, scale["maxNodeCount"], low_priority=low_priority)
        return {
            "properties": {
                "computeType": "AmlCompute",
                "computeLocation": given.compute_location or body.location or LOCATION,
                "description": given.description,
                "resourceId": None,
                "provisioningErrors": None,
                "properties": inner
                | {"allocationState": "Resizing", "allocationStateTransitionTime": now()}
                | counts(0, 0, scale["minNodeCount"]),
            },
            "tags": body.tags,
            "identity": body.identity,
            "sku": body.sku and body.sku.sent(),
            "location": body.location or LOCATION,
        }

    @override
    def change(self, document: Document, body: schemas.ComputeChanges) -> None:
        given = body.properties or schemas.ComputeChange()
        changes = given.properties or given
        document["properties"]["properties"]["scaleSettings"] = settings.scale(changes.scale_settings)

    @override
    def verb(self, before: Document | None, document: Json) -> str:
        # The computes API has one operation for both.
        return "create"

    @override
    def busy(self, operation: Document) -> ArmError:
        return ArmError(
            409,
            "ConflictingOperation",
            f"Another operation on compute '{operation['key']}' is in progress: wait for its end.",
            target=operation["key"],
        )

    @override
    async def settle(self, key: str) -> None:
        document = self._store.get(self.kind, key)
        if document is None:
            return
        document["properties"]["properties"] |= {
            "allocationState": "Steady",
            "allocationStateTransitionTime": now(),
        }
        document["properties"]["provisioningState"] = "Succeeded"
        self._store.put(self.kind, key, document)

    @override
    async def end(self, key: str) -> None:
        self._nodes.dismiss(key)

    @override
    def render(self, scope: Scope, document: Document) -> Json:
        sent = super().render(scope, document)
        error = document.get("provisioningError")
        sent["properties"] = {
            **document["properties"],
            "properties": self.inner(document),
            "createdOn": document.created,
            "modifiedOn": document.modified,
            "disableLocalAuth": False,
            "isAttachedCompute": False,
            **({"provisioningErrors": [{"error": error}]} if error else {}),
        }
        return {field: value for field, value in sent.items() if value is not None}

    def inner(self, document: Document) -> Json:
        """The inner properties with the nodes as they are now: those that run steps, those that stay up."""
        inner: Json = document["properties"]["properties"]
        if document["properties"]["provisioningState"] != "Succeeded":
            return inner
        least, running = inner["scaleSettings"]["minNodeCount"], self._nodes.in_use(document.key)
        return inner | counts(max(least - running, 0), running, max(least, running))


def counts(idle: int, running: int, target: int) -> Json:
    """The node counts of a cluster with so many nodes idle and running."""
    states = dict.fromkeys(("preparing", "unusable", "leaving", "preempted"), 0) | {
        "idle": idle,
        "running": running,
    }
    return {
        "currentNodeCount": idle + running,
        "targetNodeCount": target,
        "nodeStateCounts": {f"{state}NodeCount": count for state, count in states.items()},
        "errors": None,
    }


ClustersDep = Annotated[Clusters, part(Clusters)]
