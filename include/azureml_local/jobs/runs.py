"""Run history: what ``jobs.stream``, ``jobs.download``, lists of children and archiving ask for."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from azureml_local.arm.grammar import CALLER, WORKSPACE_PATH, Json, whole_number
from azureml_local.engine.store import Document
from azureml_local.jobs.history import HistoryDep
from azureml_local.routing import ScopeDep, authorized_router
from azureml_local.settings import LOCATION, TENANT_ID, WORKSPACE_GUID
from azureml_local.storage.addresses import artifact_prefix, long_form, long_uri

router = authorized_router(doc=__doc__)
_HISTORY = f"/history/v1.0{WORKSPACE_PATH}"
_BY_NAME = f"{_HISTORY}/experiments/{{experiment}}"
_BY_ID = f"{_HISTORY}/experimentids/{{experiment}}"
_PAGE = 100
_KINDS = {"pipeline": "azureml.PipelineRun", "step": "azureml.PipelineRun", "command": "azureml.StepRun"}
_OUTPUT_TYPES = {"uri_file": "uri_file", "mltable": "mltable"}


def _common(run: Document) -> Json:
    """What a run and its details both have."""
    compute = run.get("compute")
    return {
        "runId": run.key,
        "runUuid": run.key,
        "parentRunUuid": run["parentRunId"],
        "rootRunUuid": run["rootRunId"],
        "parentRunId": run["parentRunId"],
        "status": run["status"],
        "startTimeUtc": run.get("startTime"),
        "endTimeUtc": run.get("endTime"),
        "error": run.get("error"),
        "warnings": run.get("warnings", []),
        "tags": run["tags"],
        "properties": run["properties"],
        "parameters": run["parameters"],
        "services": {},
        "revision": 1,
        "createdBy": {"userObjectId": TENANT_ID, "userTenantId": TENANT_ID, "userName": CALLER},
        "compute": {"target": compute, "targetType": "amlcompute"} if compute else None,
    }


def _run(run: Document) -> Json:
    """A run as the list and the run itself show it."""
    return {
        **_common(run),
        "rootRunId": run["rootRunId"],
        "createdUtc": run.created,
        "lastModifiedUtc": run.modified,
        "experimentId": run["experimentId"],
        "dataContainerId": f"dcid.{run.key}",
        "displayName": run["displayName"],
        "name": run["displayName"],
        "description": run.get("description"),
        "hidden": run["hidden"],
        "runType": _KINDS.get(run["kind"], "mlflow"),
        "runTypeV2": {"orchestrator": "", "traits": [], "attribution": None, "computeType": None},
        "target": run.get("compute"),
        "inputs": {},
        "outputs": {
            name: {"assetId": _asset_id(run.key, name), "type": _OUTPUT_TYPES.get(spec["type"], "uri_folder")}
            for name, spec in (run["outputs"] | {"default": {"type": "uri_folder"}}).items()
        },
    }


def _asset_id(run_id: str, output: str) -> str:
    return f"azureml://locations/{LOCATION}/workspaces/{WORKSPACE_GUID}/data/azureml_{run_id}_output_data_{output}/versions/1"


@router.get(f"{_HISTORY}/runs/{{run_id}}/details")
@router.get(f"{_BY_NAME}/runs/{{run_id}}/details")
@router.get(f"{_BY_ID}/runs/{{run_id}}/details")
async def details(run_id: str, _: ScopeDep, history: HistoryDep) -> Json:
    """State, error and log files of a run."""
    run = history.get(run_id)
    return {
        **_common(run),
        "target": run.get("compute"),
        "createdTimeUtc": run.created,
        "inputDatasets": [],
        "outputDatasets": [],
        "runDefinition": None,
        "logFiles": history.log_urls(run_id),
    }


@router.get(f"{_HISTORY}/runs/{{run_id}}")
@router.get(f"{_BY_NAME}/runs/{{run_id}}")
@router.get(f"{_BY_ID}/runs/{{run_id}}")
async def get(run_id: str, _: ScopeDep, history: HistoryDep) -> Json:
    """One run."""
    return _run(history.get(run_id))


@router.get(f"{_HISTORY}/runs/{{run_id}}/children")
@router.get(f"{_BY_NAME}/runs/{{run_id}}/children")
@router.get(f"{_BY_ID}/runs/{{run_id}}/children")
async def children(run_id: str, request: Request, _: ScopeDep, history: HistoryDep) -> Json:
    """The runs directly below a run, page by page."""
    history.get(run_id)
    start = whole_number(request.query_params, "$continuationtoken", 0)
    size = min(whole_number(request.query_params, "$top", _PAGE, least=1), _PAGE)
    below = history.children(run_id)
    answer: Json = {"value": [_run(run) for run in below[start : start + size]]}
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
    return _run(history.replace(run))


@router.post(f"{_HISTORY}/rundata")
async def rundata(body: dict[str, Any], _: ScopeDep, history: HistoryDep) -> Json:
    """A run with its outputs, as a download asks for it."""
    return {
        "runMetadata": _run(history.get(str(body.get("runId")))),
        "runDefinition": None,
        "jobSpecification": None,
    }


@router.post(f"/data/v1.0{WORKSPACE_PATH}/dataversion/batchGetResolvedUris")
async def output_uris(body: dict[str, Any], _: ScopeDep, history: HistoryDep) -> Json:
    """Where the outputs lie that :func:`rundata` named."""
    asset_ids = set(body.get("values") or [])
    values: Json = {}
    for run in history.all():
        for name, spec in (run["outputs"] | {"default": None}).items():
            asset = _asset_id(run.key, name)
            if asset in asset_ids:
                values[asset] = {"uri": _place(run.key, spec), "type": "UriFolder"}
    return {"values": values}


def _place(run_id: str, spec: Json | None) -> str:
    if spec is None:
        return long_uri("workspaceartifactstore", artifact_prefix(run_id))
    return long_form(spec["uri"])
