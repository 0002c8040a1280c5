"""Bodies of computes."""

from __future__ import annotations

from azureml_local.arm.schemas import Object, Required, Resource, Strict


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

    properties: Required[ComputeProperties]


class ComputeChange(ComputeProperties):
    """Properties of a compute's PATCH; clients send the scale settings here or one level below."""

    scale_settings: ScaleSettings | None = None


class ComputeChanges(Resource):
    """Body of a compute's PATCH."""

    properties: ComputeChange | None = None
