"""Jobs: submitted by PUT, read, listed, cancelled, archived. The runner runs them."""

from __future__ import annotations

import re

from fastapi import Request
from fastapi.responses import JSONResponse

from azureml_local.arm import grammar
from azureml_local.arm.grammar import WORKSPACE_PATH, ArmError, Json, Scope, not_found
from azureml_local.engine.store import Document
from azureml_local.jobs import schemas
from azureml_local.jobs.history import OPEN
from azureml_local.jobs.step import tracking_uri
from azureml_local.jobs.submission import plan
from azureml_local.locator import ServiceDep
from azureml_local.routing import ScopeDep, authorized_router
from azureml_local.service import Service

router = authorized_router(f"{WORKSPACE_PATH}/jobs")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")


def _render(scope: Scope, local: Service, job: Document) -> Json:
    """A job's ARM body: what was submitted, and where its run stands."""
    run = local.history.get(job.key)
    properties = dict(job["properties"])
    properties |= {
        "status": run["status"],
        "isArchived": run["hidden"],
        "displayName": run["displayName"],
        "description": run.get("description"),
        "tags": {name: text for name, text in run["tags"].items() if not name.startswith("mlflow.")},
        "properties": run["properties"],
        "services": _services(scope, local, job.key),
        "outputs": {
            name: {
                **given,
                "uri": run["outputs"][name]["uri"] if name in run["outputs"] else given.get("uri"),
            }
            for name, given in (properties.get("outputs") or {}).items()
        },
    }
    return grammar.envelope(
        scope.child("jobs", job.key), properties, created=job.created, modified=run.modified
    )


def _services(scope: Scope, local: Service, name: str) -> Json:
    studio = f"{local.settings.base_url}/runs/{name}?wsid={scope.id}"
    tracking = tracking_uri(local.settings).replace("https://", "azureml://")
    return {
        kind: {
            "jobServiceType": kind,
            "port": None,
            "endpoint": endpoint,
            "status": None,
            "errorMessage": None,
            "properties": None,
        }
        for kind, endpoint in (("Tracking", tracking), ("Studio", studio))
    }


@router.put("/{name}")
async def create(name: str, body: schemas.Job, scope: ScopeDep, local: ServiceDep) -> JSONResponse:
    """Submit a job; of a name that exists, change only what may be changed."""
    if not _NAME.fullmatch(name):
        raise ArmError(
            400, "UserError", f"Job name {name!r} is not valid: use letters, digits, - and _, at most 255."
        )
    properties = body.properties.sent()
    existing = local.store.get("jobs", name)
    if existing is not None:
        _update(local, existing, properties)
        return JSONResponse(_render(scope, local, existing))
    root = plan(local, name, properties)
    experiment = properties.get("experimentName") or "Default"
    job = local.store.put("jobs", name, {"properties": {**properties, "experimentName": experiment}})
    local.runner.submit(
        root,
        experiment,
        displayName=properties.get("displayName"),
        description=properties.get("description"),
        tags=properties.get("tags") or {},
        properties=properties.get("properties") or {},
        hidden=bool(properties.get("isArchived")),
    )
    return JSONResponse(_render(scope, local, job), 201)


def _update(local: Service, job: Document, properties: Json) -> None:
    experiment = properties.get("experimentName")
    if experiment and experiment != job["properties"]["experimentName"]:
        raise ArmError(
            400,
            "UserError",
            f"A job named {job.key!r} exists in experiment {job['properties']['experimentName']!r}; "
            "its experiment cannot be changed. Use another name for a new job.",
            target="experimentName",
        )
    run = local.history.get(job.key)
    for name in ("displayName", "description"):
        if properties.get(name) is not None:
            run[name] = properties[name]
    run["hidden"] = bool(properties.get("isArchived", run["hidden"]))
    for name in ("tags", "properties"):
        run[name] |= properties.get(name) or {}
    local.store.put("runs", job.key, run)


@router.get("/{name}")
async def get(name: str, scope: ScopeDep, local: ServiceDep) -> Json:
    """One job. A pipeline's step is answered without properties, which sends the SDK to run history."""
    job = local.store.get("jobs", name)
    if job is not None:
        return _render(scope, local, job)
    run = local.store.get("runs", name)
    if run is None:
        raise not_found("The job", name, f"workspace {scope.workspace}")
    return {**grammar.envelope(scope.child("jobs", name), {}, created=run.created), "properties": None}


@router.get("")
async def list_jobs(request: Request, scope: ScopeDep, local: ServiceDep) -> Json:
    """The jobs of the workspace, newest first; steps of pipelines are not among them."""
    query = request.query_params
    view, kind, tag = query.get("listViewType", "ActiveOnly"), query.get("jobType"), query.get("tag")
    bodies = (_render(scope, local, job) for job in local.store.newest("jobs"))
    return grammar.page(
        request,
        (
            body
            for body in bodies
            if (view == "All" or body["properties"]["isArchived"] == (view == "ArchivedOnly"))
            and (not kind or body["properties"]["jobType"] == kind)
            and (not tag or _has_tag(body["properties"]["tags"], tag))
        ),
    )


def _has_tag(tags: Json, wanted: str) -> bool:
    name, separator, value = wanted.partition("=")
    return name in tags and (not separator or tags[name] == value)


async def _cancel(local: Service, name: str) -> None:
    await local.runner.cancel(name)


@router.post("/{name}/cancel")
async def cancel(name: str, scope: ScopeDep, local: ServiceDep) -> JSONResponse:
    """End a job: 202 while its processes are being ended, 200 where there is nothing left to end."""
    if local.store.get("jobs", name) is None:
        raise not_found("The job", name, f"workspace {scope.workspace}")
    if local.history.get(name)["status"] not in OPEN:
        return JSONResponse(None, 200)
    operation = local.operations.begin("jobs.cancel", name)
    return JSONResponse(None, 202, headers=local.operations.headers(scope, operation, delete=True))


async def _delete(local: Service, name: str) -> None:
    await local.runner.cancel(name)
    for run in local.history.family(name):
        local.store.delete("runs", run.key)
    local.store.delete("jobs", name)


@router.delete("/{name}")
async def delete(name: str, scope: ScopeDep, local: ServiceDep) -> JSONResponse:
    """Remove a job with its runs; one under way is ended first."""
    if local.store.get("jobs", name) is None:
        return JSONResponse(None, 204)
    operation = local.operations.begin("jobs.delete", name)
    return JSONResponse(None, 202, headers=local.operations.headers(scope, operation, delete=True))
