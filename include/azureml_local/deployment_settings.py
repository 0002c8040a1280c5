"""What a deployment is told, checked and completed: model, size, probes, limits, number of instances."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from include.azureml_local import sizes, uris
from include.azureml_local.arm import ArmError, Json
from include.azureml_local.store import Document

if TYPE_CHECKING:
    from include.azureml_local.local import Local

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


def properties(local: Local, given: Json, old: Document | None) -> Json:
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
    model_folder(local, given.get("model"))
    kept = {name: given[name] for name in _DEFAULTS if given.get(name) is not None}
    return {
        **_DEFAULTS,
        **kept,
        "model": given["model"],
        "instanceType": size.name,
        "requestSettings": {**_REQUESTS, **_present(given.get("requestSettings"))},
        "livenessProbe": {**_PROBE, **_present(given.get("livenessProbe"))},
        "readinessProbe": {**_PROBE, **_present(given.get("readinessProbe"))},
        "provisioningState": "Updating" if old else "Creating",
    }


def _present(given: Json | None) -> Json:
    return {name: value for name, value in (given or {}).items() if value is not None}


def model_folder(local: Local, model: str | None) -> Path:
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
    if not folder.exists():
        raise ArmError(400, "BadArgument", f"Model {model!r} has no files.", target="model")
    return folder


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
