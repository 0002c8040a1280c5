"""Managed online deployments: a model behind an endpoint, from PUT until it answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

from typing_extensions import override

from azureml_local.arm.grammar import ArmError, Json, Scope
from azureml_local.compute import sizes
from azureml_local.compute.quota import Quota
from azureml_local.engine.operations import Operations
from azureml_local.engine.resources import Resources
from azureml_local.engine.store import Document, Store
from azureml_local.online import schemas, settings
from azureml_local.online.endpoints import Endpoints
from azureml_local.online.pools import Pools
from azureml_local.online.served import SERVED, Served
from azureml_local.online.servers import ContainerError
from azureml_local.online.settings import DeploymentSettings
from azureml_local.routing import part
from azureml_local.settings import LOCATION

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")


class Deployments(Resources[schemas.Deployment, schemas.DeploymentChanges]):
    """The deployments of all endpoints."""

    kind, what, where = "onlineDeployments", "The deployment", "endpoint {owner}"
    path = ("endpoint", "name")
    body, changes = schemas.Deployment, schemas.DeploymentChanges
    summaries = (
        "The deployments of an endpoint.",
        "One deployment.",
        "Create a deployment, or change the one that there is.",
        "Change tags and the number of instances.",
        "Remove a deployment; one that has traffic is refused, as the endpoint would go dark.",
    )
    private = (SERVED,)

    def __init__(
        self,
        store: Store,
        operations: Operations,
        endpoints: Endpoints,
        quota: Quota,
        checks: DeploymentSettings,
        served: Served,
        pools: Pools,
    ) -> None:
        super().__init__(store, operations, endpoints)
        self._endpoints, self._quota, self._checks = endpoints, quota, checks
        self._served, self._pools = served, pools

    @override
    def handlers(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        return super().handlers() | {"scale": self._scale}

    @override
    def arm_id(self, scope: Scope, key: str) -> str:
        endpoint, _, name = key.partition("/")
        return scope.child("onlineEndpoints", endpoint, "deployments", name)

    @override
    def check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ArmError(
                400,
                "BadArgument",
                f"Deployment {name!r} needs 'properties' and a name of letters, digits and dashes.",
                target=name,
            )

    @override
    def accept(self, key: str, body: schemas.Deployment, before: Document | None) -> Json:
        properties, sku = self._checks.complete(body.properties), settings.sku(body.sku)
        self._check_quota(key, properties["instanceType"], sku["capacity"])
        return {
            "properties": properties,
            "location": body.location or LOCATION,
            "tags": body.tags or {},
            "kind": "Managed",
            "sku": sku,
        }

    @override
    def change(self, document: Document, body: schemas.DeploymentChanges) -> None:
        if body.tags is not None:
            document["tags"] = body.tags
        if body.sku:
            document["sku"] = settings.sku(body.sku, document["sku"])
            self._check_quota(
                document.key, document["properties"]["instanceType"], document["sku"]["capacity"]
            )

    def _check_quota(self, key: str, instance_type: str, instances: int) -> None:
        reason = self._quota.lacking(key, sizes.size(instance_type), instances)
        if reason is not None:
            raise settings.out_of_quota(reason)

    @override
    def verb(self, before: Document | None, document: Json) -> str:
        """A change of nothing but the number of instances restarts none of them."""
        if before is None:
            return "create"
        # What failed to update still runs as it was before, so it has to be started whatever the change is.
        healthy = before["properties"]["provisioningState"] == "Succeeded"
        same = before["properties"] | {"provisioningState": "Updating"} == document["properties"]
        return "scale" if healthy and same and self._pools.get(before.key) is not None else "update"

    @override
    async def settle(self, key: str) -> None:
        document = self._store.get(self.kind, key)
        if document is None:
            return
        # The request was accepted; the machines are taken now, and others may have taken them meanwhile.
        size = sizes.size(document["properties"]["instanceType"])
        reason = self._quota.lacking(key, size, int(document["sku"]["capacity"]))
        if reason is not None:
            raise ArmError(400, "OutOfQuota", reason, target=key)
        # From here on the new version counts, even if the old one is still on its way up.
        await self._served.stop_restoring(key)
        try:
            await self._served.launch(document)
        except (ContainerError, ArmError) as error:
            if self._pools.get(key) is None:
                # The service was killed during the update: what answered before it is to answer again.
                self._served.restore(key)
            if isinstance(error, ArmError):
                raise
            raise ArmError(400, "ResourceNotReady", str(error), target=key) from error
        self._set_succeeded(key)

    async def _scale(self, key: str) -> None:
        document = self._store.get(self.kind, key)
        if document is None:
            return
        if self._pools.get(key) is None:
            await self.settle(key)
            return
        try:
            await self._pools.scale(key, int(document["sku"]["capacity"]))
        except ContainerError as error:
            raise ArmError(400, "ResourceNotReady", str(error), target=key) from error
        self._set_succeeded(key)

    def _set_succeeded(self, key: str) -> None:
        document = self._store.get(self.kind, key)
        if document is not None:
            document["properties"]["provisioningState"] = "Succeeded"
            document.pop("provisioningError", None)
            self._served.keep(self._store.put(self.kind, key, document))

    @override
    def check_deletion(self, key: str) -> None:
        endpoint, _, name = key.partition("/")
        share = self._endpoints.find(endpoint)["properties"]["traffic"].get(name)
        if share:
            raise ArmError(
                400,
                "BadRequest",
                f"Deployment {name!r} has {share} % of the traffic: set it to 0 first.",
                target=name,
            )

    @override
    async def end(self, key: str) -> None:
        await self._served.stop_restoring(key)
        await self._pools.remove(key)
        endpoint, _, name = key.partition("/")
        self._endpoints.drop_traffic(endpoint, name)

    @override
    async def start(self) -> None:
        """Bring back the deployments that ran when the service ended; Failed ones as they were before."""
        for document in self._store.list(self.kind):
            if document["properties"]["provisioningState"] in ("Succeeded", "Failed"):
                self._served.restore(document.key)

    @override
    async def stop(self) -> None:
        await self._served.stop()


DeploymentsDep = Annotated[Deployments, part(Deployments)]
