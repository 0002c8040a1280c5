"""Control routes under ``/_local``: health, faults, time, quota, limits, tokens, snapshots. Not part of Azure."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.throttling import DEFAULTS, Kind, Limit
from azureml_local.control import snapshots
from azureml_local.engine.faults import Fault
from azureml_local.engine.identity import LIFETIME
from azureml_local.locator import ServiceDep

router = APIRouter(prefix="/_local")


class TimeRequest(BaseModel):
    """Body of ``POST /_local/time``: a policy for one noun or for all."""

    model_config = ConfigDict(extra="forbid")

    policy: str
    noun: str | None = None
    seconds: float | None = None


@router.get("/health")
async def health(local: ServiceDep) -> dict[str, Any]:
    """Whether the process lives."""
    return {"status": "ok", "base_url": local.settings.base_url, "time": local.clock.as_json()}


@router.get("/ready")
async def ready(local: ServiceDep) -> JSONResponse:
    """Whether requests are served: 503 while the service starts, ends or takes another state."""
    return JSONResponse({"ready": local.ready}, 200 if local.ready else 503)


@router.get("/faults")
async def list_faults(local: ServiceDep) -> dict[str, Any]:
    """The faults that still wait to happen."""
    return {"value": [fault.model_dump() for fault in local.faults.waiting]}


@router.post("/faults", status_code=201)
async def add_fault(fault: Fault, local: ServiceDep) -> dict[str, Any]:
    """Arm one fault."""
    local.faults.add(fault)
    return fault.model_dump()


@router.delete("/faults")
async def clear_faults(local: ServiceDep) -> dict[str, Any]:
    """Disarm all faults."""
    local.faults.clear()
    return {"value": []}


@router.post("/time")
async def set_time(request: TimeRequest, local: ServiceDep) -> dict[str, Any]:
    """Change the time policy."""
    try:
        local.clock.set(request.policy, request.noun, request.seconds)
    except ValueError as error:
        raise ArmError(400, "UserError", str(error), target="policy") from error
    return local.clock.as_json()


@router.post("/time/advance")
async def advance(local: ServiceDep, noun: str | None = None) -> JSONResponse:
    """Let what waits under the manual policy go on."""
    local.clock.advance(noun)
    return JSONResponse(local.clock.as_json())


class QuotaRequest(BaseModel):
    """Body of ``POST /_local/quota``: the limit of a family, or of a regional total, in vCPUs."""

    model_config = ConfigDict(extra="forbid")

    family: str
    limit: int = Field(ge=0)


@router.post("/quota")
async def set_quota(request: QuotaRequest, local: ServiceDep) -> dict[str, Any]:
    """Set a limit.

    Raises:
        ArmError: 400 for a family that no size has.
    """
    local.quota.set_limit(request.family, request.limit)
    return {"family": request.family, "limit": request.limit}


class LimitsRequest(BaseModel):
    """Body of ``POST /_local/limits``: buckets of ARM's requests; one that is not given stays as it is."""

    model_config = ConfigDict(extra="forbid")

    reads: Limit | None = None
    writes: Limit | None = None
    deletes: Limit | None = None


@router.post("/limits")
async def set_limits(request: LimitsRequest, local: ServiceDep) -> dict[str, Any]:
    """Set how many requests ARM takes; an empty body puts the published numbers back."""
    given: dict[Kind, Limit] = {kind: limit for kind in DEFAULTS if (limit := getattr(request, kind))}
    local.limits.set(given or DEFAULTS)
    return {kind: limit.model_dump() for kind, limit in local.limits.known.items()}


@router.post("/reset")
async def reset(local: ServiceDep) -> dict[str, Any]:
    """Forget everything: jobs and deployments are ended; resources, files and settings are gone."""
    await snapshots.reset(local)
    return {"status": "reset"}


class TokensRequest(BaseModel):
    """Body of ``POST /_local/tokens``: seconds that tokens last from now on, and whether earlier ones end."""

    model_config = ConfigDict(extra="forbid")

    lifetime: int = Field(LIFETIME, ge=1, le=24 * 3600)
    revoke: bool = False


@router.post("/tokens")
async def set_tokens(request: TokensRequest, local: ServiceDep) -> dict[str, Any]:
    """Issue short tokens, or refuse all that clients hold. Running steps keep theirs."""
    local.identity.lifetime = request.lifetime
    if request.revoke:
        local.identity.revoke()
    return {"lifetime": request.lifetime, "revoked": request.revoke}


class SnapshotRequest(BaseModel):
    """Body of ``POST /_local/snapshot`` and ``/_local/restore``."""

    model_config = ConfigDict(extra="forbid")

    name: str = "default"


@router.get("/snapshot")
async def list_snapshots(local: ServiceDep) -> dict[str, Any]:
    """The snapshots that there are."""
    return {"value": snapshots.names(local.settings.home)}


@router.post("/snapshot", status_code=201)
async def snapshot(request: SnapshotRequest, local: ServiceDep) -> dict[str, Any]:
    """Keep the whole state under a name."""
    await snapshots.save(local, request.name)
    return {"name": request.name}


@router.post("/restore")
async def restore(request: SnapshotRequest, local: ServiceDep) -> dict[str, Any]:
    """Go back to a snapshot. Faults, time policy and tokens stay as they are."""
    await snapshots.restore(local, request.name)
    return {"name": request.name}
