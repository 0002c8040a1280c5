"""Bodies of online endpoints and their deployments."""

from __future__ import annotations

from pydantic import Field

from azureml_local.arm.schemas import Object, Required, Resource, Strict, Words


class EndpointProperties(Strict):
    """Properties of an online endpoint."""

    auth_mode: str | None = None
    compute: str | None = None
    description: str | None = None
    properties: Words = None
    public_network_access: str | None = None
    traffic: dict[str, int] | None = None
    mirror_traffic: dict[str, int] | None = None


class Endpoint(Resource):
    """An online endpoint."""

    properties: Required[EndpointProperties]


class EndpointChanges(Resource):
    """Body of an online endpoint's PATCH."""

    properties: EndpointProperties | None = None


class DeploymentProperties(Strict):
    """Properties of an online deployment."""

    endpoint_compute_type: str | None = None
    instance_type: str | None = None
    model: str | None = None
    model_mount_path: str | None = None
    environment_id: str | None = None
    description: str | None = None
    properties: Words = None
    app_insights_enabled: bool | None = None
    environment_variables: Words = None
    code_configuration: Object = None
    scale_settings: Object = None
    request_settings: Object = None
    liveness_probe: Object = None
    readiness_probe: Object = None


class Deployment(Resource):
    """An online deployment."""

    properties: Required[DeploymentProperties]


class DeploymentChanges(Resource):
    """Body of an online deployment's PATCH."""

    properties: DeploymentProperties | None = None


class NewKey(Strict):
    """Body of ``regenerateKeys``."""

    key_type: str | None = None
    key_value: str | None = None


class LogRequest(Strict):
    """Body of ``getLogs``."""

    container_type: str | None = None
    tail: int | None = Field(None, strict=False)
