"""What a deployment is told, checked and completed: model, size, probes, limits, number of instances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.compute import sizes
from azureml_local.engine.store import Document
from azureml_local.online import images
from azureml_local.provisioning.everything import will_exist
from azureml_local.storage import uris

if TYPE_CHECKING:
    from azureml_local.service import Service

_PROBE = {
    "initialDelay": "PT10S",
    "period": "PT10S",
    "timeout": "PT2S",
    "successThreshold": 1,
    "failureThreshold": 30,
}
_REQUESTS = {"maxConcurrentRequestsPerInstance": 1, "requestTimeout": "PT5S", "maxQueueWait": "PT0.5S"}
_DEFAULTS: Json = {
    "description": None,
    "properties": {},
    "codeConfiguration": None,
    "environmentId": None,
    "environmentVariables": {},
    "appInsightsEnabled": False,
    "egressPublicNetworkAccess": "Enabled",
    "endpointComputeType": "Managed",
    "modelMountPath": None,
    "scaleSettings": {"scaleType": "Default"},
}


def properties(local: Service, given: Json, old: Document | None) -> Json:
    """The stored properties of a deployment.

    Args:
        local: the service.
        given: the properties that the client sent.
        old: the deployment as it was, None for a new one.

    Raises:
        ArmError: 400 for an unknown instance type or a model that is not there.
    """
    size = sizes.sizes().get(str(given.get("instanceType")).lower())
    if size is None:
        known = ", ".join(one.name for one in sizes.sizes().values())
        raise ArmError(
            400,
            "BadArgument",
            f"Instance type {given.get('instanceType')!r} is not supported. Supported: {known}.",
            target="instanceType",
        )
    _check_parts(local, given)
    kept = {name: given[name] for name in _DEFAULTS if given.get(name) is not None}
    return {
        **_DEFAULTS,
        **kept,
        "model": given.get("model"),
        "instanceType": size.name,
        "requestSettings": {**_REQUESTS, **_present(given.get("requestSettings"))},
        "livenessProbe": {**_PROBE, **_present(given.get("livenessProbe"))},
        "readinessProbe": {**_PROBE, **_present(given.get("readinessProbe"))},
        "provisioningState": "Updating" if old else "Creating",
    }


def _check_parts(local: Service, given: Json) -> None:
    """Model, code and environment are there, and are enough to start a container from."""
    model, code, environment = given.get("model"), given.get("codeConfiguration"), given.get("environmentId")
    if (images.environment(local, environment) or {}).get("inferenceConfig"):
        raise ArmError(
            501,
            "NotImplemented",
            f"Environment {environment!r} has an inferenceConfig: its image brings its own server, and the local "
            "Azure ML runs no images. Deploy an MLflow model or a scoring script, or use Azure.",
            target="environmentId",
        )
    if model or not code:
        model_folder(local, model)
    if code:
        code_folder(local, code)
    if environment or (model and not code and _is_mlflow(local, model)):
        return
    what = "scoring script" if code else "model that is no mlflow_model"
    raise ArmError(
        400,
        "BadArgument",
        f"A deployment of a {what} needs an environment: give environmentId.",
        target="environmentId",
    )


def _is_mlflow(local: Service, model: str) -> bool:
    """Whether a model can be served without code; those of registries can."""
    key = uris.model_key(model)
    document = local.store.get("models", key) if key else None
    return document is None or document["properties"]["modelType"] == "mlflow_model"


def _present(given: Json | None) -> Json:
    return {name: value for name, value in (given or {}).items() if value is not None}


def model_folder(local: Service, model: str | None) -> Path:
    """Folder of the model's files.

    Raises:
        ArmError: 400 if there is no such model.
    """
    if not model:
        raise ArmError(
            400, "BadArgument", "A deployment needs a model: the id of a registered one.", target="model"
        )
    try:
        folder = uris.resolve(local, model)
    except ArmError as error:
        raise ArmError(
            400, "BadArgument", f"Model {model!r} cannot be deployed: {error.message}", target="model"
        ) from error
    if not will_exist(local.settings, folder):
        raise ArmError(400, "BadArgument", f"Model {model!r} has no files.", target="model")
    return folder


def code_folder(local: Service, code: Json) -> Path:
    """Folder of a deployment's code.

    Raises:
        ArmError: 400 if there is no such code, or no script is named.
    """
    code_id, script = code.get("codeId"), code.get("scoringScript")
    if not code_id or not script or Path(script).is_absolute() or ".." in Path(script).parts:
        raise ArmError(
            400,
            "BadArgument",
            f"codeConfiguration has codeId {code_id!r} and scoringScript {script!r}: give the id of a code "
            "asset and the path of a script inside it.",
            target="codeConfiguration",
        )
    try:
        folder = uris.resolve(local, code_id)
    except ArmError as error:
        raise ArmError(
            400,
            "BadArgument",
            f"Code {code_id!r} cannot be used: {error.message}",
            target="codeConfiguration",
        ) from error
    if not folder.is_dir():
        raise ArmError(400, "BadArgument", f"Code {code_id!r} has no files.", target="codeConfiguration")
    return folder


def check_quota(local: Service, key: str, instance_type: str, instances: int) -> None:
    """Refuse a deployment that the quota does not hold, as online endpoints do: a validation error of VmSize.

    Raises:
        ArmError: 400 ``BadRequest``; the reason is in its details.
    """
    missing = sizes.lacking(local, key, sizes.size(instance_type), instances)
    if missing is None:
        return
    inner = {
        "errors": {"VmSize": [missing]},
        "title": "One or more validation errors occurred.",
        "status": 400,
    }
    reason = json.dumps({"error": {"code": "Validation", "message": json.dumps(inner)}})
    raise ArmError(
        400,
        "BadRequest",
        "The request is invalid.",
        details=[
            {
                "code": "InferencingClientCallFailed",
                "message": reason,
                "target": None,
                "details": [],
                "additionalInfo": [],
            }
        ],
    )


def sku(given: Json | None) -> Json:
    """The size of the deployment: how many instances.

    Raises:
        ArmError: 400 for fewer than one.
    """
    wanted = {"name": "Default", "capacity": 1, **_present(given)}
    if not isinstance(wanted["capacity"], int) or wanted["capacity"] < 1:
        raise ArmError(
            400,
            "BadArgument",
            f"sku.capacity is {wanted['capacity']!r}: give 1 or more instances.",
            target="sku",
        )
    return wanted
