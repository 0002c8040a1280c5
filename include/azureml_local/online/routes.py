"""Routes of online endpoints and their deployments."""

from __future__ import annotations

import asyncio

from fastapi import Request
from fastapi.responses import JSONResponse

from azureml_local import long_running
from azureml_local.arm import grammar
from azureml_local.arm.grammar import WORKSPACE_PATH, ArmError, Json
from azureml_local.online.access import AccessDep
from azureml_local.online.deployments import Deployments, DeploymentsDep
from azureml_local.online.endpoints import Endpoints, EndpointsDep
from azureml_local.online.logs import LOGS, SERVER, last_lines
from azureml_local.online.pools import PoolsDep
from azureml_local.online.schemas import LogRequest, NewKey
from azureml_local.routing import ScopeDep, authorized_router

endpoints_router = authorized_router(
    f"{WORKSPACE_PATH}/onlineEndpoints",
    "Managed online endpoints: the address, its keys and how its traffic is split.",
)
deployments_router = authorized_router(
    f"{WORKSPACE_PATH}/onlineEndpoints/{{endpoint}}/deployments",
    "Managed online deployments: a model behind an endpoint, each a process of its own.",
)
long_running.serve(endpoints_router, Endpoints)
long_running.serve(deployments_router, Deployments)


@endpoints_router.post("/{name}/listKeys")
async def list_keys(name: str, _: ScopeDep, endpoints: EndpointsDep, access: AccessDep) -> Json:
    """Both keys."""
    return access.keys(endpoints.find(name))


@endpoints_router.post("/{name}/regenerateKeys")
async def regenerate_keys(
    name: str, body: NewKey, _: ScopeDep, endpoints: EndpointsDep, access: AccessDep
) -> JSONResponse:
    """Replace one key: by the value given, or a random one if it has that value already, as the SDK sends."""
    access.regenerate_key(endpoints.find(name), body.key_type, body.key_value)
    return JSONResponse(None, 200)


@endpoints_router.post("/{name}/token")
async def token(name: str, _: ScopeDep, endpoints: EndpointsDep, access: AccessDep) -> Json:
    """A token that opens an endpoint of authMode AMLToken."""
    return access.token(endpoints.find(name))


@deployments_router.post("/{name}/getLogs")
async def get_logs(
    endpoint: str, name: str, body: LogRequest, _: ScopeDep, deployments: DeploymentsDep, pools: PoolsDep
) -> Json:
    """The last lines of a container's log."""
    document, container = deployments.find(f"{endpoint}/{name}"), body.container_type or SERVER
    if container not in LOGS:
        raise ArmError(
            400,
            "BadArgument",
            f"containerType {container!r} is none of {', '.join(LOGS)}.",
            target="containerType",
        )
    folder = pools.folder(document.key)
    text = await asyncio.to_thread(last_lines, folder, container, body.tail or 100)
    error = document.get("provisioningError")
    if not text and error:
        text = f"The container was not started: {error['code']}: {error['message']}"
    return {"content": text}


@deployments_router.get("/{name}/skus")
async def list_skus(
    endpoint: str, name: str, request: Request, _: ScopeDep, deployments: DeploymentsDep
) -> Json:
    """How far the deployment can be scaled."""
    deployments.find(f"{endpoint}/{name}")
    sku = {
        "resourceType": f"{grammar.PROVIDER}/endpoints/deployments",
        "sku": {"name": "Default"},
        "capacity": {"minimum": 1, "maximum": 20, "default": 1, "scaleType": "Manual"},
    }
    return grammar.page(request, [sku])
