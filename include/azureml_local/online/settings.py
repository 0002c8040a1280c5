"""The settings of a deployment, checked and completed: model, size, probes, limits, instances."""

from __future__ import annotations

import json

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.arm.schemas import Sku
from azureml_local.compute.sizes import sizes
from azureml_local.online.images import Images
from azureml_local.online.schemas import DeploymentProperties
from azureml_local.online.sources import Sources

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


class DeploymentSettings:
    """Checks what a client sends against the assets that there are."""

    def __init__(self, sources: Sources, images: Images) -> None:
        self._sources, self._images = sources, images

    def complete(self, given: DeploymentProperties) -> Json:
        """The stored properties of a deployment, but for its provisioningState.

        Raises:
            ArmError: 400 for an unknown instance type, or a model, code or environment that is not there.
        """
        size = sizes().get(str(given.instance_type).lower())
        if size is None:
            known = ", ".join(one.name for one in sizes().values())
            raise ArmError(
                400,
                "BadArgument",
                f"Instance type {given.instance_type!r} is not supported. Supported: {known}.",
                target="instanceType",
            )
        self._check_assets(given)
        sent = _present(given.sent())
        return {
            **_DEFAULTS,
            **{name: sent[name] for name in _DEFAULTS if name in sent},
            "model": given.model,
            "instanceType": size.name,
            "requestSettings": _REQUESTS | _present(given.request_settings),
            "livenessProbe": _PROBE | _present(given.liveness_probe),
            "readinessProbe": _PROBE | _present(given.readiness_probe),
        }

    def _check_assets(self, given: DeploymentProperties) -> None:
        """Model, code and environment are there, and are enough to start a server from."""
        model, code, environment = given.model, given.code_configuration, given.environment_id
        if (self._images.environment(environment) or {}).get("inferenceConfig"):
            raise ArmError(
                501,
                "NotImplemented",
                f"Environment {environment!r} has an inferenceConfig: its image brings its own server, and the "
                "local Azure ML runs no images. Deploy an MLflow model or a scoring script, or use Azure.",
                target="environmentId",
            )
        if model or not code:
            self._sources.model_folder(model)
        if code:
            self._sources.code_folder(code)
        if environment or (model and not code and self._sources.is_mlflow(model)):
            return
        what = "scoring script" if code else "model that is no mlflow_model"
        raise ArmError(
            400,
            "BadArgument",
            f"A deployment of a {what} needs an environment: give environmentId.",
            target="environmentId",
        )


def _present(given: Json | None) -> Json:
    return {name: value for name, value in (given or {}).items() if value is not None}


def sku(given: Sku | None, before: Json | None = None) -> Json:
    """The size of a deployment: how many instances; raises ArmError 400 for fewer than one."""
    size = {"name": "Default", "capacity": 1, **(before or {}), **_present(given.sent() if given else None)}
    if size["capacity"] < 1:
        raise ArmError(
            400,
            "BadArgument",
            f"sku.capacity is {size['capacity']!r}: give 1 or more instances.",
            target="sku",
        )
    return size


def out_of_quota(reason: str) -> ArmError:
    """The refusal of what the quota does not hold, as online endpoints answer it: a validation of VmSize.

    400 ``BadRequest``; the reason is JSON in the JSON of its details.
    """
    inner = {
        "errors": {"VmSize": [reason]},
        "title": "One or more validation errors occurred.",
        "status": 400,
    }
    message = json.dumps({"error": {"code": "Validation", "message": json.dumps(inner)}})
    detail = {"code": "InferencingClientCallFailed", "message": message, "target": None}
    return ArmError(
        400,
        "BadRequest",
        "The request is invalid.",
        details=[detail | {"details": [], "additionalInfo": []}],
    )
