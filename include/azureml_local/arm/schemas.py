"""The types of the fields that a caller may send, a model a noun; what is not declared here passes as it is.

Source: the published contract from 2022-02-01-preview on. Values that the service checks by rule, such as
enums, are left to the noun's own module, whose messages say more.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

Scalar = str | int | float | bool | None
Words = dict[str, Scalar] | None
"""Tags and properties: text in the contract, but Azure takes any scalar and keeps its text."""
Objects = dict[str, dict[str, Any] | None] | None
Object = dict[str, Any] | None


class Strict(BaseModel):
    """Fields have exactly the types declared, or are null or absent."""

    model_config = ConfigDict(
        strict=True, extra="allow", alias_generator=to_camel, protected_namespaces=(), defer_build=True
    )


class Sku(Strict):
    """``sku`` of a resource."""

    name: str | None = None
    capacity: int | None = None


class Resource(Strict):
    """What every body may have beside its properties."""

    location: str | None = None
    kind: str | None = None
    tags: Words = None
    identity: Object = None
    sku: Sku | None = None


class Common(Strict):
    """What most properties have."""

    description: str | None = None
    tags: Words = None
    properties: Words = None
    is_archived: bool | None = None


class ScaleSettings(Strict):
    """Nodes of a cluster."""

    max_node_count: int | None = None
    min_node_count: int | None = None
    node_idle_time_before_scale_down: str | None = None


class AmlCompute(Strict):
    """Inner properties of a cluster."""

    vm_size: str | None = None
    vm_priority: str | None = None
    os_type: str | None = None
    isolated_network: bool | None = None
    enable_node_public_ip: bool | None = None
    remote_login_port_public_access: str | None = None
    scale_settings: ScaleSettings | None = None
    subnet: Object = None
    user_account_credentials: Object = None


class ComputeProperties(Strict):
    """Properties of a compute."""

    compute_type: str | None = None
    compute_location: str | None = None
    description: str | None = None
    properties: AmlCompute | None = None


class Compute(Resource):
    """A compute."""

    properties: ComputeProperties | None = None


class VersionProperties(Common):
    """Properties of a version of any asset."""

    is_anonymous: bool | None = None
    data_uri: str | None = None
    data_type: str | None = None
    model_uri: str | None = None
    model_type: str | None = None
    job_name: str | None = None
    flavors: Objects = None
    image: str | None = None
    conda_file: str | None = None
    build: Object = None
    component_spec: Object = None
    code_uri: str | None = None


class Version(Resource):
    """A version, or a container, of an asset."""

    properties: VersionProperties | None = None


class DatastoreProperties(Strict):
    """Properties of a datastore."""

    description: str | None = None
    tags: Words = None
    properties: Words = None
    datastore_type: str | None = None
    account_name: str | None = None
    container_name: str | None = None
    endpoint: str | None = None
    protocol: str | None = None
    credentials: Object = None


class Datastore(Resource):
    """A datastore."""

    properties: DatastoreProperties | None = None


class JobResources(Strict):
    """Nodes of a command job."""

    instance_count: int | None = None
    instance_type: str | None = None
    shm_size: str | None = None
    docker_args: str | None = None
    properties: Object = None


class JobProperties(Common):
    """Properties of a job."""

    job_type: str | None = None
    display_name: str | None = None
    experiment_name: str | None = None
    compute_id: str | None = None
    component_id: str | None = None
    code_id: str | None = None
    environment_id: str | None = None
    command: str | None = None
    environment_variables: Words = None
    inputs: Objects = None
    outputs: Objects = None
    jobs: Objects = None
    settings: Object = None
    services: Objects = None
    identity: Object = None
    limits: Object = None
    distribution: Object = None
    resources: JobResources | None = None


class Job(Resource):
    """A job."""

    properties: JobProperties | None = None


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

    properties: DeploymentProperties | None = None


BODIES: dict[str, type[BaseModel]] = {
    "computes": Compute,
    "datastores": Datastore,
    "jobs": Job,
    "onlineEndpoints": Endpoint,
    "onlineEndpoints/deployments": Deployment,
    **{
        f"{plural}{below}": Version
        for plural in ("codes", "components", "data", "environments", "models")
        for below in ("", "/versions")
    },
}
"""The body that a PUT or PATCH takes, by the nouns of its path."""
