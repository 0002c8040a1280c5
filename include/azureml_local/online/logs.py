"""What can be looked at in a deployment: its containers' logs, and how far it scales."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request

from azureml_local.arm import grammar
from azureml_local.arm.grammar import WORKSPACE_PATH, ArmError, Json
from azureml_local.locator import ServiceDep
from azureml_local.online import rules
from azureml_local.online.pools import LOGS
from azureml_local.routing import ScopeDep, authorized_router

router = authorized_router(f"{WORKSPACE_PATH}/onlineEndpoints/{{endpoint}}/deployments", __doc__)


@router.post("/{name}/getLogs")
async def get_logs(endpoint: str, name: str, body: dict[str, Any], _: ScopeDep, local: ServiceDep) -> Json:
    """The last lines of a container's log."""
    document = rules.deployment(local, endpoint, name)
    container = body.get("containerType") or "InferenceServer"
    if container not in LOGS:
        raise ArmError(
            400,
            "BadArgument",
            f"containerType {container!r} is none of {', '.join(LOGS)}.",
            target="containerType",
        )
    text = await asyncio.to_thread(
        local.containers.log, document.key, container, int(body.get("tail") or 100)
    )
    error = document.get("provisioningError")
    if not text and error:
        text = f"The container was not started: {error['code']}: {error['message']}"
    return {"content": text}


@router.get("/{name}/skus")
async def list_skus(endpoint: str, name: str, request: Request, _: ScopeDep, local: ServiceDep) -> Json:
    """How far the deployment can be scaled."""
    rules.deployment(local, endpoint, name)
    capacity = {"minimum": 1, "maximum": 20, "default": 1, "scaleType": "Manual"}
    sku = {
        "resourceType": f"{grammar.PROVIDER}/endpoints/deployments",
        "sku": {"name": "Default"},
        "capacity": capacity,
    }
    return grammar.page(request, [sku])
