"""Run history: what ``jobs.stream``, ``jobs.download``, lists of children and archiving ask for."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from azureml_local.arm.grammar import WORKSPACE_PATH, Json, whole_number
from azureml_local.jobs import run_views
from azureml_local.jobs.history import HistoryDep
from azureml_local.routing import ScopeDep, authorized_router

router = authorized_router(doc=__doc__)
_HISTORY = f"/history/v1.0{WORKSPACE_PATH}"
_BY_NAME = f"{_HISTORY}/experiments/{{experiment}}"
_BY_ID = f"{_HISTORY}/experimentids/{{experiment}}"
_PAGE = 100


@router.get(f"{_HISTORY}/runs/{{run_id}}/details")
@router.get(f"{_BY_NAME}/runs/{{run_id}}/details")
@router.get(f"{_BY_ID}/runs/{{run_id}}/details")
async def details(run_id: str, _: ScopeDep, history: HistoryDep) -> Json:
    """State, error and log files of a run."""
    return run_views.details(history.get(run_id), history.log_urls(run_id))


@router.get(f"{_HISTORY}/runs/{{run_id}}")
@router.get(f"{_BY_NAME}/runs/{{run_id}}")
@router.get(f"{_BY_ID}/runs/{{run_id}}")
async def get(run_id: str, _: ScopeDep, history: HistoryDep) -> Json:
    """One run."""
    return run_views.run(history.get(run_id))


@router.get(f"{_HISTORY}/runs/{{run_id}}/children")
@router.get(f"{_BY_NAME}/runs/{{run_id}}/children")
@router.get(f"{_BY_ID}/runs/{{run_id}}/children")
async def children(run_id: str, request: Request, _: ScopeDep, history: HistoryDep) -> Json:
    """The runs directly below a run, page by page."""
    history.get(run_id)
    start = whole_number(request.query_params, "$continuationtoken", 0)
    size = min(whole_number(request.query_params, "$top", _PAGE, least=1), _PAGE)
    below = history.children(run_id)
    answer: Json = {"value": [run_views.run(run) for run in below[start : start + size]]}
    if start + size < len(below):
        answer["continuationToken"] = str(start + size)
        url = request.url.include_query_params(**{"$continuationtoken": start + size})
        answer["nextLink"] = str(url)
    return answer


@router.patch(f"{_HISTORY}/runs/{{run_id}}")
@router.patch(f"{_BY_NAME}/runs/{{run_id}}")
@router.patch(f"{_BY_ID}/runs/{{run_id}}")
async def modify(run_id: str, body: dict[str, Any], _: ScopeDep, history: HistoryDep) -> Json:
    """Change what a person may change of a run: names, tags, properties, whether it is archived."""
    run = history.get(run_id)
    for name in ("displayName", "description", "hidden"):
        if body.get(name) is not None:
            run[name] = body[name]
    for name in ("tags", "properties"):
        run[name] |= body.get(name) or {}
    return run_views.run(history.replace(run))


@router.post(f"{_HISTORY}/rundata")
async def rundata(body: dict[str, Any], _: ScopeDep, history: HistoryDep) -> Json:
    """A run with its outputs, as a download asks for it."""
    run = run_views.run(history.get(str(body.get("runId"))))
    return {
        "runMetadata": run,
        "runDefinition": run["runDefinition"],
        "jobSpecification": None,
    }


@router.post(f"/data/v1.0{WORKSPACE_PATH}/dataversion/batchGetResolvedUris")
async def output_uris(body: dict[str, Any], _: ScopeDep, history: HistoryDep) -> Json:
    """Where the inputs and outputs lie that :func:`rundata` named."""
    asset_ids = set(body.get("values") or [])
    places = (place for run in history.all() for place in run_views.places(run).items())
    return {
        "values": {asset: {"uri": uri, "type": "UriFolder"} for asset, uri in places if asset in asset_ids}
    }
