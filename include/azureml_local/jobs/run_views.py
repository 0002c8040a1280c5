"""How run history shows a run: the shapes ``Run`` and ``RunDetails`` of its contract."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from azureml_local.arm.grammar import CALLER, Json
from azureml_local.engine.identity import CLIENT_ID
from azureml_local.engine.store import Document
from azureml_local.settings import LOCATION, TENANT_ID, WORKSPACE_GUID
from azureml_local.storage.addresses import artifact_prefix, long_form, long_uri

_KINDS: Final = {
    "pipeline": "azureml.PipelineRun",
    "step": "azureml.PipelineRun",
    "command": "azureml.StepRun",
}
_OUTPUT_TYPES: Final = {"uri_file": "uri_file", "mltable": "mltable"}
_DATA: Final = re.compile(r".*/data/([^/]+)/versions/([^/]+)/?$")
_USER: Final[Json] = {
    "userObjectId": CLIENT_ID,
    "userPuId": None,
    "userIdp": f"https://sts.windows.net/{TENANT_ID}/",
    "userAltSecId": None,
    "userIss": f"https://sts.windows.net/{TENANT_ID}/",
    "userTenantId": TENANT_ID,
    "userName": CALLER,
    # Of a person; who calls here is an application.
    "upn": None,
}
_ERROR: Final[Json] = dict.fromkeys(
    ("severity", "messageFormat", "referenceCode", "detailsUri", "target", "innerError")
) | {"messageParameters": {}, "details": [], "additionalInfo": []}


def run(document: Document) -> Json:
    """A run as the list and the run itself show it."""
    return {
        **_common(document),
        "createdUtc": document.created,
        "experimentId": document["experimentId"],
        "dataContainerId": f"dcid.{document.key}",
        "displayName": document["displayName"],
        "name": document["displayName"],
        "description": document.get("description"),
        "hidden": document["hidden"],
        "runType": _KINDS.get(document["kind"], "mlflow"),
    }


def details(document: Document, logs: dict[str, str]) -> Json:
    """A run with its log files, a readable URL by the path of each."""
    return {**_common(document), "createdTimeUtc": document.created, "logFiles": logs}


def _common(document: Document) -> Json:
    """What a run and its details both have."""
    compute, duration = document.get("compute"), _duration(document)
    return {
        "runId": document.key,
        "runUuid": document.key,
        "parentRunUuid": document["parentRunId"],
        "rootRunUuid": document["rootRunId"],
        "parentRunId": document["parentRunId"],
        "rootRunId": document["rootRunId"],
        "status": document["status"],
        "startTimeUtc": document.get("startTime"),
        "endTimeUtc": document.get("endTime"),
        "duration": duration,
        "computeDuration": duration,
        "error": _error(document.get("error")),
        "warnings": document.get("warnings", []),
        "tags": document["tags"],
        "properties": document["properties"],
        "parameters": document["parameters"],
        "services": {},
        "revision": 1,
        "createdBy": _USER,
        "lastModifiedBy": _USER,
        "lastModifiedUtc": document.modified,
        "runTypeV2": {"orchestrator": "", "traits": [], "attribution": None, "computeType": None},
        "target": compute,
        "compute": {"target": compute, "targetType": "amlcompute"} if compute else None,
        "inputDatasets": [],
        "outputDatasets": [],
        "runDefinition": _definition(document),
        "inputs": {
            name: {"assetId": _input_id(document.key, name, uri), "type": "uri_folder"}
            for name, uri in document.get("inputs", {}).items()
        },
        "outputs": {
            name: {"assetId": _output_id(document.key, name), "type": _type(spec)}
            for name, spec in _all_outputs(document).items()
        },
    }


def _definition(document: Document) -> Json | None:
    """What a command's process is started with; None for a pipeline."""
    definition: Json | None = document.get("definition")
    about = {"target": document.get("compute"), "jobName": document["displayName"]}
    return definition and {**definition, **about}


def _error(error: Json | None) -> Json | None:
    """An error with all fields of the contract's ``RootError``."""
    if error is None:
        return None
    where = {
        "correlation": {},
        "environment": LOCATION,
        "location": LOCATION,
        "componentName": "local-runner",
    }
    return {**where, **error, "error": {**_ERROR, **error["error"]}}


def _duration(document: Document) -> str | None:
    """Time between start and end as the contract writes it, ``00:01:30.5000000``; None before the end."""
    start, end = document.get("startTime"), document.get("endTime")
    if not start or not end:
        return None
    span = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    hours, seconds = divmod(span.seconds, 3600)
    days = f"{span.days}." if span.days else ""
    return f"{days}{hours:02}:{seconds // 60:02}:{seconds % 60:02}.{span.microseconds:06}0"


def _type(spec: Json) -> str:
    return _OUTPUT_TYPES.get(spec["type"], "uri_folder")


def _all_outputs(document: Document) -> Json:
    """The declared outputs, and ``default`` with the logs and artifacts."""
    artifacts = long_uri("workspaceartifactstore", artifact_prefix(document.key))
    return {**document["outputs"], "default": {"type": "uri_folder", "uri": artifacts}}


def _asset_id(name: str, version: str = "1") -> str:
    return f"azureml://locations/{LOCATION}/workspaces/{WORKSPACE_GUID}/data/{name}/versions/{version}"


def _output_id(run_id: str, output: str) -> str:
    return _asset_id(f"azureml_{run_id}_output_data_{output}")


def _input_id(run_id: str, name: str, uri: str) -> str:
    """Id of the data asset, of one without a name where the input is a place."""
    if match := _DATA.fullmatch(uri):
        return _asset_id(match[1], match[2])
    return (
        uri if uri.startswith("azureml://registries/") else _asset_id(f"azureml_{run_id}_input_data_{name}")
    )


def places(document: Document) -> dict[str, str]:
    """Where the outputs of a run lie, and those inputs that are places, by the ids that :func:`run` shows."""
    outputs = {_output_id(document.key, name): spec["uri"] for name, spec in _all_outputs(document).items()}
    inputs = {
        _input_id(document.key, name, uri): uri
        for name, uri in document.get("inputs", {}).items()
        if not _DATA.fullmatch(uri)
    }
    return {asset: long_form(uri) for asset, uri in {**inputs, **outputs}.items()}
