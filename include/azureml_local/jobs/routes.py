"""Jobs: submitted by PUT, read, listed, cancelled, archived. The runner runs them."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import JSONResponse

from azureml_local.arm import grammar
from azureml_local.arm.grammar import WORKSPACE_PATH, Json, Scope, not_found, tracking_uri
from azureml_local.arm.lists import has_tag
from azureml_local.engine.store import Document
from azureml_local.jobs.history import HistoryDep
from azureml_local.jobs.rules import JobsDep
from azureml_local.jobs.schemas import Job
from azureml_local.routing import OperationsDep, ScopeDep, SettingsDep, StoreDep, authorized_router

router = authorized_router(f"{WORKSPACE_PATH}/jobs", __doc__)


def _render(scope: Scope, base_url: str, job: Document, run: Document) -> Json:
    """A job's ARM body: what was submitted, and where its run stands."""
    properties = dict(job["properties"])
    properties |= {
        "status": run["status"],
        "isArchived": run["hidden"],
        "displayName": run["displayName"],
        "description": run.get("description"),
        "tags": {name: text for name, text in run["tags"].items() if not name.startswith("mlflow.")},
        "properties": run["properties"],
        "services": _services(scope, base_url, job.key),
        "outputs": {
            name: {
                "mode": "ReadWriteMount",
                **{field: value for field, value in (given or {}).items() if value is not None},
                "uri": run["outputs"][name]["uri"] if name in run["outputs"] else (given or {}).get("uri"),
            }
            for name, given in (properties.get("outputs") or {}).items()
        },
    }
    return grammar.envelope(
        scope.child("jobs", job.key), properties, created=job.created, modified=run.modified
    )


def _services(scope: Scope, base_url: str, name: str) -> Json:
    studio = f"{base_url}/runs/{name}?wsid={scope.id}"
    tracking = tracking_uri(base_url).replace("https://", "azureml://")
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
async def create(
    name: str, body: Job, scope: ScopeDep, jobs: JobsDep, history: HistoryDep, settings: SettingsDep
) -> JSONResponse:
    """Submit a job; of a name that exists, change only what may be changed."""
    job, new = jobs.put(name, body.properties.sent())
    return JSONResponse(_render(scope, settings.base_url, job, history.get(name)), 201 if new else 200)


@router.get("/{name}")
async def get(
    name: str, scope: ScopeDep, store: StoreDep, history: HistoryDep, settings: SettingsDep
) -> Json:
    """One job. A pipeline's step is answered without properties, which sends the SDK to run history."""
    job = store.get("jobs", name)
    if job is not None:
        return _render(scope, settings.base_url, job, history.get(name))
    run = store.get("runs", name)
    if run is None:
        raise not_found("The job", name, f"workspace {scope.workspace}")
    return {**grammar.envelope(scope.child("jobs", name), {}, created=run.created), "properties": None}


@router.get("")
async def list_jobs(
    request: Request, scope: ScopeDep, store: StoreDep, history: HistoryDep, settings: SettingsDep
) -> Json:
    """The jobs of the workspace, newest first; steps of pipelines are not among them."""
    query = request.query_params
    view, kind, tag = query.get("listViewType", "ActiveOnly"), query.get("jobType"), query.get("tag")
    bodies = (_render(scope, settings.base_url, job, history.get(job.key)) for job in store.newest("jobs"))
    return grammar.page(
        request,
        (
            body
            for body in bodies
            if (view == "All" or body["properties"]["isArchived"] == (view == "ArchivedOnly"))
            and (not kind or body["properties"]["jobType"] == kind)
            and (not tag or has_tag(body["properties"]["tags"], tag))
        ),
    )


@router.post("/{name}/cancel")
async def cancel(name: str, scope: ScopeDep, jobs: JobsDep, operations: OperationsDep) -> JSONResponse:
    """End a job: 202 while its processes are being ended, 200 where there is nothing left to end."""
    operation = jobs.begin_cancel(name)
    if operation is None:
        return JSONResponse(None, 200)
    return JSONResponse(None, 202, headers=operations.headers(scope, operation, delete=True))


@router.delete("/{name}")
async def delete(name: str, scope: ScopeDep, jobs: JobsDep, operations: OperationsDep) -> JSONResponse:
    """Remove a job with its runs; one under way is ended first."""
    operation = jobs.begin_delete(name)
    if operation is None:
        return JSONResponse(None, 204)
    return JSONResponse(None, 202, headers=operations.headers(scope, operation, delete=True))
