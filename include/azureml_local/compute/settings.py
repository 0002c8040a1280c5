"""The settings of a cluster, checked and completed: size, priority, scale."""

from __future__ import annotations

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.compute.schemas import AmlCompute, ComputeProperties, ScaleSettings
from azureml_local.compute.sizes import VmSize, size
from azureml_local.engine.store import Document

PRIORITIES = ("Dedicated", "LowPriority")


def scale(given: ScaleSettings | None) -> Json:
    """The checked scale settings; raises ArmError 400 if the counts are missing or make no sense."""
    given = given or ScaleSettings()
    least, most = given.min_node_count or 0, given.max_node_count
    if most is None:
        raise _refusal("scaleSettings needs a whole number maxNodeCount.", "scaleSettings")
    if not 0 <= least <= most or most < 1:
        raise _refusal(
            f"minNodeCount {least} and maxNodeCount {most}: use 0 <= min <= max, and max >= 1.",
            "scaleSettings",
        )
    idle = given.node_idle_time_before_scale_down or "PT2M"
    return {"minNodeCount": least, "maxNodeCount": most, "nodeIdleTimeBeforeScaleDown": idle}


def _refusal(message: str, target: str) -> ArmError:
    return ArmError(400, "BadArgument", message, target=target)


def check_type(given: ComputeProperties) -> AmlCompute:
    """The inner properties of an AmlCompute; raises ArmError 501 for a compute of another type."""
    if (given.compute_type or "").lower() != "amlcompute":
        raise ArmError(
            501, "NotImplemented", f"The local Azure ML has no computes of type {given.compute_type!r}."
        )
    return given.properties or AmlCompute()


def priority(inner: AmlCompute) -> str:
    """The priority as Azure spells it; raises ArmError 400 if there is no such priority."""
    given = inner.vm_priority or PRIORITIES[0]
    known = {choice.lower(): choice for choice in PRIORITIES}
    if given.lower() not in known:
        raise _refusal(f"vmPriority {given!r} is unknown: use one of {PRIORITIES}.", "vmPriority")
    return known[given.lower()]


def refuse_other_machines(name: str, before: Document, vm_size: VmSize, vm_priority: str) -> None:
    """Refuse to change what is fixed once a cluster exists; raises ArmError 400."""
    old = before["properties"]["properties"]
    if before["properties"].get("provisioningState") == "Failed":
        return
    if (old["vmSize"].lower(), old["vmPriority"]) != (vm_size.name.lower(), vm_priority):
        raise _refusal(
            f"Size and priority of '{name}' cannot be changed from {old['vmSize']}, {old['vmPriority']}.",
            name,
        )


def complete(inner: AmlCompute) -> Json:
    """The stored inner properties, but for the nodes.

    Raises:
        ArmError: 400 for an unknown size, priority or scale.
    """
    sent = inner.sent()
    return {
        "osType": inner.os_type or "Linux",
        "vmSize": size(inner.vm_size).name,
        "vmPriority": priority(inner),
        "scaleSettings": scale(inner.scale_settings),
        "isolatedNetwork": bool(inner.isolated_network),
        "subnet": inner.subnet,
        "userAccountCredentials": _without_secrets(inner.user_account_credentials),
        "virtualMachineImage": sent.get("virtualMachineImage"),
        "remoteLoginPortPublicAccess": inner.remote_login_port_public_access or "NotSpecified",
        "enableNodePublicIp": sent.get("enableNodePublicIp", True),
    }


def _without_secrets(credentials: Json | None) -> Json | None:
    return {"adminUserName": credentials.get("adminUserName")} if credentials else None
