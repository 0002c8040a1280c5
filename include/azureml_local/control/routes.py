"""Control routes under ``/_local``: health, faults, time, quota, limits, tokens, snapshots. Not part of Azure."""

from __future__ import annotations

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.throttling import DEFAULTS, Kind, Limit
from azureml_local.compute.quota import QuotaDep
from azureml_local.control import snapshots
from azureml_local.engine.faults import Fault
from azureml_local.engine.identity import LIFETIME
from azureml_local.routing import ClockDep, FaultsDep, IdentityDep, SettingsDep, ThrottlingDep, title
from azureml_local.service import Service

router = APIRouter(prefix="/_local", tags=title(__doc__))


async def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


ServiceDep = Annotated[Service, Depends(_service)]


class TimeRequest(BaseModel):
    """Body of ``POST /_local/time``: a policy for one noun or for all."""

    model_config = ConfigDict(extra="forbid")

    policy: str
    noun: str | None = None
    seconds: float | None = None


@router.get("/health")
async def health(settings: SettingsDep, clock: ClockDep) -> dict[str, Any]:
    """Whether the process lives."""
    return {"status": "ok", "base_url": settings.base_url, "time": clock.as_json()}


@router.get("/ready")
async def ready(service: ServiceDep) -> JSONResponse:
    """Whether requests are served: 503 while the service starts, ends or takes another state."""
    return JSONResponse({"ready": service.ready}, 200 if service.ready else 503)


@router.get("/faults")
async def list_faults(faults: FaultsDep) -> dict[str, Any]:
    """The faults that still wait to happen."""
    return {"value": [fault.model_dump() for fault in faults.waiting]}


@router.post("/faults", status_code=201)
async def add_fault(fault: Fault, faults: FaultsDep) -> dict[str, Any]:
    """Arm one fault."""
    faults.add(fault)
    return fault.model_dump()


@router.delete("/faults")
async def clear_faults(faults: FaultsDep) -> dict[str, Any]:
    """Disarm all faults."""
    faults.clear()
    return {"value": []}


@router.post("/time")
async def set_time(request: TimeRequest, clock: ClockDep) -> dict[str, Any]:
    """Change the time policy."""
    try:
        clock.set(request.policy, request.noun, request.seconds)
    except ValueError as error:
        raise ArmError(400, "UserError", str(error), target="policy") from error
    return clock.as_json()


@router.post("/time/advance")
async def advance(clock: ClockDep, noun: str | None = None) -> JSONResponse:
    """Let what waits under the manual policy go on."""
    clock.advance(noun)
    return JSONResponse(clock.as_json())


class QuotaRequest(BaseModel):
    """Body of ``POST /_local/quota``: the limit of a family, or of a regional total, in vCPUs."""

    model_config = ConfigDict(extra="forbid")

    family: str
    limit: int = Field(ge=0)


@router.post("/quota")
async def set_quota(request: QuotaRequest, quota: QuotaDep) -> dict[str, Any]:
    """Set a limit; raises ArmError: 400 for a family that no size has."""
    quota.set_limit(request.family, request.limit)
    return {"family": request.family, "limit": request.limit}


class LimitsRequest(BaseModel):
    """Body of ``POST /_local/limits``: buckets of ARM's requests; one that is not given stays as it is."""

    model_config = ConfigDict(extra="forbid")

    reads: Limit | None = None
    writes: Limit | None = None
    deletes: Limit | None = None


@router.post("/limits")
async def set_limits(request: LimitsRequest, throttling: ThrottlingDep) -> dict[str, Any]:
    """Set how many requests ARM takes; an empty body puts the published numbers back."""
    changes: dict[Kind, Limit] = {kind: limit for kind in DEFAULTS if (limit := getattr(request, kind))}
    throttling.set(changes or DEFAULTS)
    return {kind: limit.model_dump() for kind, limit in throttling.known.items()}


@router.post("/reset")
async def reset(service: ServiceDep) -> dict[str, Any]:
    """Forget everything: jobs and deployments are ended; resources, files and settings are gone."""
    await snapshots.reset(service)
    return {"status": "reset"}


class TokensRequest(BaseModel):
    """Body of ``POST /_local/tokens``: seconds that tokens last from now on, and whether earlier ones end."""

    model_config = ConfigDict(extra="forbid")

    lifetime: int = Field(LIFETIME, ge=1, le=24 * 3600)
    revoke: bool = False


@router.post("/tokens")
async def set_tokens(request: TokensRequest, identity: IdentityDep) -> dict[str, Any]:
    """Issue short tokens, or refuse all that clients hold. Running steps keep theirs."""
    identity.lifetime = request.lifetime
    if request.revoke:
        identity.revoke()
    return {"lifetime": request.lifetime, "revoked": request.revoke}


class SnapshotRequest(BaseModel):
    """Body of ``POST /_local/snapshot`` and ``/_local/restore``."""

    model_config = ConfigDict(extra="forbid")

    name: str = "default"


@router.get("/snapshot")
async def list_snapshots(settings: SettingsDep) -> dict[str, Any]:
    """The snapshots that there are."""
    return {"value": snapshots.names(settings.home)}


@router.post("/snapshot", status_code=201)
async def snapshot(request: SnapshotRequest, service: ServiceDep) -> dict[str, Any]:
    """Keep the whole state under a name."""
    await snapshots.save(service, request.name)
    return {"name": request.name}


@router.post("/restore")
async def restore(request: SnapshotRequest, service: ServiceDep) -> dict[str, Any]:
    """Go back to a snapshot. Faults, time policy and tokens stay as they are."""
    await snapshots.restore(service, request.name)
    return {"name": request.name}
