"""Managed online endpoints: the address, and how its traffic is split."""

from __future__ import annotations

import re
from typing import Annotated

from typing_extensions import override

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.engine.operations import Operations
from azureml_local.engine.resources import Resources
from azureml_local.engine.store import Document, Store
from azureml_local.online import access, schemas, traffic
from azureml_local.online.pools import Pools
from azureml_local.routing import part
from azureml_local.settings import LOCATION, TENANT_ID

# Source: the limits page of managed online endpoints: 3 to 32 characters, a letter first, no dash last.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]")


class Endpoints(Resources[schemas.Endpoint, schemas.EndpointChanges]):
    """The online endpoints of the workspace."""

    kind, what = "onlineEndpoints", "The online endpoint"
    body, changes = schemas.Endpoint, schemas.EndpointChanges
    summaries = (
        "The endpoints of the workspace.",
        "One endpoint.",
        "Create an endpoint, or change the one that there is.",
        "Change tags and traffic.",
        "Remove an endpoint with all its deployments; what is under way on these is given up.",
    )
    private = (access.KEYS,)
    lists_by_name = True

    def __init__(self, store: Store, operations: Operations, pools: Pools, base_url: str) -> None:
        super().__init__(store, operations)
        self._pools, self._base_url = pools, base_url

    @override
    def check_name(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ArmError(
                400,
                "BadArgument",
                f"Endpoint name {name!r} is not valid: use 3 to 32 letters, digits and dashes, "
                "a letter first, no dash last.",
                target=name,
            )

    @override
    def accept(self, key: str, body: schemas.Endpoint, before: Document | None) -> Json:
        given, there = body.properties, self._deployments(key)
        auth_mode, live = access.mode(given.auth_mode), traffic.check(key, given.traffic, there)
        # Only the service sets the addresses, when the endpoint is there.
        kept = before["properties"] if before else {"scoringUri": None, "swaggerUri": None}
        return {
            "properties": {
                "description": given.description,
                "properties": given.properties or {},
                "authMode": auth_mode,
                "compute": given.compute,
                "traffic": live,
                "mirrorTraffic": traffic.check_mirror(key, given.mirror_traffic, there, live),
                "publicNetworkAccess": given.public_network_access or "Enabled",
                "scoringUri": kept["scoringUri"],
                "swaggerUri": kept["swaggerUri"],
            },
            "location": body.location or LOCATION,
            "tags": body.tags or {},
            "kind": "Managed",
            "identity": {"type": "SystemAssigned", "principalId": TENANT_ID, "tenantId": TENANT_ID},
            "sku": body.sku and body.sku.sent(),
        }

    @override
    def change(self, document: Document, body: schemas.EndpointChanges) -> None:
        if body.tags is not None:
            document["tags"] = body.tags
        given, inner = body.properties or schemas.EndpointProperties(), document["properties"]
        there = self._deployments(document.key)
        if "traffic" in given.model_fields_set:
            inner["traffic"] = traffic.check(document.key, given.traffic, there)
        if "mirror_traffic" in given.model_fields_set:
            inner["mirrorTraffic"] = traffic.check_mirror(
                document.key, given.mirror_traffic, there, inner["traffic"]
            )

    def _deployments(self, name: str) -> set[str]:
        return {document.key.partition("/")[2] for document in self.children_of(name)}

    @override
    async def settle(self, key: str) -> None:
        document = self.find(key)
        address = f"{self._base_url}/inference/{key}"
        document["properties"] |= {
            "provisioningState": "Succeeded",
            "scoringUri": f"{address}/score",
            "swaggerUri": f"{address}/swagger.json",
        }
        self._store.put(self.kind, key, document)

    def drop_traffic(self, name: str, deployment: str) -> None:
        """Forget the shares of a deployment that is being deleted."""
        document = self._store.get(self.kind, name)
        if document is not None:
            for shares in (document["properties"]["traffic"], document["properties"]["mirrorTraffic"]):
                shares.pop(deployment, None)
            self._store.put(self.kind, name, document)

    @override
    async def end(self, key: str) -> None:
        await self._pools.remove(key)


EndpointsDep = Annotated[Endpoints, part(Endpoints)]
