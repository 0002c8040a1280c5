"""Control routes under ``/_local``: health, faults, time, quota, reset. Not part of Azure."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from include.azureml_local import blobs, sizes
from include.azureml_local.arm import ArmError
from include.azureml_local.faults import Fault
from include.azureml_local.local import LocalDep

router = APIRouter(prefix="/_local")


class TimeRequest(BaseModel):
    """Body of ``POST /_local/time``: a policy for one noun or for all."""

    model_config = ConfigDict(extra="forbid")

    policy: str
    noun: str | None = None
    seconds: float | None = None


@router.get("/health")
async def health(local: LocalDep) -> dict[str, Any]:
    """Answers as soon as requests are served."""
    return {"status": "ok", "base_url": local.settings.base_url, "time": local.clock.as_json()}


@router.get("/faults")
async def list_faults(local: LocalDep) -> dict[str, Any]:
    """The faults that still wait to happen."""
    return {"value": [fault.model_dump() for fault in local.faults.waiting]}


@router.post("/faults", status_code=201)
async def add_fault(fault: Fault, local: LocalDep) -> dict[str, Any]:
    """Arm one fault."""
    local.faults.add(fault)
    return fault.model_dump()


@router.delete("/faults")
async def clear_faults(local: LocalDep) -> dict[str, Any]:
    """Disarm all faults."""
    local.faults.clear()
    return {"value": []}


@router.post("/time")
async def set_time(request: TimeRequest, local: LocalDep) -> dict[str, Any]:
    """Change the time policy."""
    try:
        local.clock.set(request.policy, request.noun, request.seconds)
    except ValueError as error:
        raise ArmError(400, "UserError", str(error), target="policy") from error
    return local.clock.as_json()


@router.post("/time/advance")
async def advance(local: LocalDep, noun: str | None = None) -> JSONResponse:
    """Let what waits under the manual policy go on."""
    local.clock.advance(noun)
    return JSONResponse(local.clock.as_json())


class QuotaRequest(BaseModel):
    """Body of ``POST /_local/quota``: the limit of a family, or of a regional total, in vCPUs."""

    model_config = ConfigDict(extra="forbid")

    family: str
    limit: int = Field(ge=0)


@router.post("/quota")
async def set_quota(request: QuotaRequest, local: LocalDep) -> dict[str, Any]:
    """Set a limit.

    Raises:
        ArmError: 400 for a family that no size has.
    """
    known = {*sizes.TOTALS, *(size.family for size in sizes.sizes().values())}
    if request.family not in known:
        raise ArmError(
            400, "UserError", f"There is no family {request.family!r}; there are: {', '.join(sorted(known))}."
        )
    local.store.put("quota", request.family, {"limit": request.limit})
    return {"family": request.family, "limit": request.limit}


@router.post("/reset")
async def reset(local: LocalDep) -> dict[str, Any]:
    """Forget everything: jobs and deployments are ended; resources, files and settings are gone."""
    from include.azureml_local.app import resource_modules

    modules = resource_modules()
    await local.operations.stop()
    for module in modules:
        if hasattr(module, "shutdown"):
            await module.shutdown(local)
    local.faults.clear()
    local.clock.set(local.settings.time_policy)
    local.store.clear()
    await asyncio.to_thread(blobs.clear, local)
    for module in modules:
        if hasattr(module, "startup"):
            await module.startup(local)
    return {"status": "reset"}
