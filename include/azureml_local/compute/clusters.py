"""The rules of a compute cluster: what a request may ask for, and how its nodes are counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.compute import sizes
from azureml_local.engine.store import Document, now
from azureml_local.settings import LOCATION

if TYPE_CHECKING:
    from azureml_local.service import Service

NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,22}[a-zA-Z0-9]")
PRIORITIES = ("Dedicated", "LowPriority")


def scale(inner: Json) -> Json:
    """The checked scale settings.

    Raises:
        ArmError: 400 if the counts are missing or make no sense.
    """
    given = inner.get("scaleSettings") or {}
    try:
        least, most = int(given.get("minNodeCount") or 0), int(given["maxNodeCount"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArmError(
            400, "BadArgument", "scaleSettings needs a whole number maxNodeCount.", target="scaleSettings"
        ) from error
    if not 0 <= least <= most or most < 1:
        raise ArmError(
            400,
            "BadArgument",
            f"minNodeCount {least} and maxNodeCount {most}: use 0 <= min <= max, and max >= 1.",
            target="scaleSettings",
        )
    idle = given.get("nodeIdleTimeBeforeScaleDown") or "PT2M"
    return {"minNodeCount": least, "maxNodeCount": most, "nodeIdleTimeBeforeScaleDown": idle}


def properties(local: Service, name: str, body: Json, before: Document | None) -> Json:
    """The checked properties of a PUT.

    Raises:
        ArmError: 400 for what Azure refuses: type, size, priority, scale, quota, or a change of what is
            fixed.
    """
    given = dict(body.get("properties") or {})
    if str(given.get("computeType", "")).lower() != "amlcompute":
        raise ArmError(
            501, "NotImplemented", f"The local Azure ML has no computes of type {given.get('computeType')!r}."
        )
    inner = dict(given.get("properties") or {})
    size, priority = sizes.size(inner.get("vmSize")), str(inner.get("vmPriority") or PRIORITIES[0])
    known = {choice.lower(): choice for choice in PRIORITIES}
    if priority.lower() not in known:
        raise ArmError(
            400,
            "BadArgument",
            f"vmPriority {priority!r} is unknown: use one of {PRIORITIES}.",
            target="vmPriority",
        )
    priority, wanted = known[priority.lower()], scale(inner)
    if before is not None and before["properties"].get("provisioningState") != "Failed":
        old = before["properties"]["properties"]
        if (old["vmSize"].lower(), old["vmPriority"]) != (size.name.lower(), priority):
            raise ArmError(
                400,
                "BadArgument",
                f"Size and priority of '{name}' cannot be changed from {old['vmSize']}, {old['vmPriority']}.",
                target=name,
            )
    sizes.check_quota(local, name, size, wanted["maxNodeCount"], low_priority=priority == "LowPriority")
    return {
        "computeType": "AmlCompute",
        "computeLocation": given.get("computeLocation") or body.get("location") or LOCATION,
        "description": given.get("description"),
        "resourceId": None,
        "provisioningErrors": None,
        "provisioningState": "Updating" if before else "Creating",
        "properties": {
            "osType": inner.get("osType") or "Linux",
            "vmSize": size.name,
            "vmPriority": priority,
            "scaleSettings": wanted,
            "isolatedNetwork": bool(inner.get("isolatedNetwork")),
            "subnet": inner.get("subnet"),
            "userAccountCredentials": _without_secrets(inner.get("userAccountCredentials")),
            "virtualMachineImage": inner.get("virtualMachineImage"),
            "remoteLoginPortPublicAccess": inner.get("remoteLoginPortPublicAccess") or "NotSpecified",
            "enableNodePublicIp": inner.get("enableNodePublicIp", True),
            "allocationState": "Resizing",
            "allocationStateTransitionTime": now(),
            **counts(0, 0, wanted["minNodeCount"]),
        },
    }


def _without_secrets(credentials: Json | None) -> Json | None:
    return {"adminUserName": credentials.get("adminUserName")} if credentials else None


def counts(idle: int, running: int, target: int) -> Json:
    """The node counts of a cluster with so many nodes idle and running."""
    states = dict.fromkeys(("preparing", "unusable", "leaving", "preempted"), 0) | {
        "idle": idle,
        "running": running,
    }
    return {
        "currentNodeCount": idle + running,
        "targetNodeCount": target,
        "nodeStateCounts": {f"{state}NodeCount": count for state, count in states.items()},
        "errors": None,
    }
