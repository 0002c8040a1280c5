"""VM sizes and the quota of vCPUs: what a location offers, what is in use, what is refused.

Limits are in the store under the kind ``quota`` (key: family, or one of :data:`TOTALS`), set by
``POST /_local/quota``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from azureml_local.arm.grammar import ArmError
from azureml_local.registry.catalogue import FOLDER
from azureml_local.settings import SUBSCRIPTION_ID

if TYPE_CHECKING:
    from azureml_local.service import Service

DEDICATED, LOW_PRIORITY = "totalDedicatedCores", "totalLowPriorityCores"
TOTALS = {DEDICATED: 2000, LOW_PRIORITY: 1000}
"""Names of the regional totals and their limits in vCPUs."""
FAMILY_LIMIT = 960
"""vCPUs of one family that a subscription starts with."""


@dataclass(frozen=True)
class VmSize:
    """One VM size.

    Attributes:
        name: as Azure writes it, for example ``Standard_NC24ads_A100_v4``.
        vcpus: virtual CPUs of a node.
        memory_gb: memory of a node in GB.
        gpus: GPUs of a node.
        family: what quota is counted by.
        disk_gb: local disk of a node in GB.
    """

    name: str
    vcpus: int
    memory_gb: float
    gpus: int
    family: str
    disk_gb: int


@cache
def sizes() -> dict[str, VmSize]:
    """All sizes by their name in lower case."""
    import yaml  # not with the start; so in each module that reads YAML

    rows = yaml.safe_load((FOLDER / "vm_sizes.yaml").read_text())
    return {row["name"].lower(): VmSize(**row) for row in rows}


def size(name: str | None) -> VmSize:
    """The size of that name, in any case.

    Raises:
        ArmError: 400 if the location has no such size.
    """
    found = sizes().get((name or "").lower())
    if found is None:
        raise ArmError(
            400,
            "InvalidVMSize",
            f"The specified VM size {name!r} is not supported in this region. Supported sizes: "
            f"{', '.join(known.name for known in sizes().values())}.",
            target="vmSize",
        )
    return found


def limit(local: Service, key: str) -> int:
    """VCPUs that a family, or a regional total, may use."""
    document = local.store.get("quota", key)
    return int(document["limit"]) if document else TOTALS.get(key, FAMILY_LIMIT)


def serving_cores(wanted: VmSize, instances: int) -> int:
    """VCPUs that a deployment counts for: a fifth more instances, rounded up, are kept for its upgrades.

    Source: the quota page of managed online endpoints: ceil(1.2 * instances) * cores of the size.
    """
    return -(-12 * instances // 10) * wanted.vcpus


def in_use(local: Service, *, but: str = "") -> dict[str, int]:
    """VCPUs by family and total: of clusters at their largest, and of deployments.

    Args:
        local: the service.
        but: name of a cluster, or ``<endpoint>/<deployment>``, that is left out.
    """
    used: dict[str, int] = {}
    for document in local.store.list("onlineDeployments"):
        known = sizes().get(str(document["properties"].get("instanceType")).lower())
        without_machines = (document.get("provisioningError") or {}).get("code") == "OutOfQuota"
        if document.key == but or known is None or without_machines:
            continue
        cores = serving_cores(known, int((document.get("sku") or {}).get("capacity") or 1))
        for key in (DEDICATED, known.family):
            used[key] = used.get(key, 0) + cores
    for document in local.store.list("computes"):
        inner = document["properties"].get("properties") or {}
        known = sizes().get(str(inner.get("vmSize")).lower())
        if document.key == but or known is None:
            continue
        cores = known.vcpus * int((inner.get("scaleSettings") or {}).get("maxNodeCount", 1))
        low = inner.get("vmPriority") == "LowPriority"
        for key in [LOW_PRIORITY] if low else [DEDICATED, known.family]:
            used[key] = used.get(key, 0) + cores
    return used


def check_quota(local: Service, cluster: str, wanted: VmSize, nodes: int, *, low_priority: bool) -> None:
    """Refuse a cluster whose largest size the quota does not hold.

    Raises:
        ArmError: 400 ``ClusterCoreQuotaReached``.
    """
    used, additional = in_use(local, but=cluster), wanted.vcpus * nodes
    for key in [LOW_PRIORITY] if low_priority else [wanted.family, DEDICATED]:
        allowed, current = limit(local, key), used.get(key, 0)
        if current + additional > allowed:
            raise ArmError(
                400,
                "ClusterCoreQuotaReached",
                f"Operation results in exceeding quota limits of {key}. Maximum allowed: {allowed}, "
                f"Current in use: {current}, Additional requested: {additional}.",
                target=cluster,
            )


def lacking(local: Service, deployment: str, wanted: VmSize, instances: int) -> str | None:
    """Why the quota does not hold a deployment, None if it does; in the words of online endpoints.

    Args:
        local: the service.
        deployment: ``<endpoint>/<deployment>``; what it has already is not counted.
        wanted: its VM size.
        instances: how many of these.
    """
    used, needed = in_use(local, but=deployment), serving_cores(wanted, instances)
    for key in (wanted.family, DEDICATED):
        allowed, current = limit(local, key), used.get(key, 0)
        if current + needed > allowed:
            return (
                f"Not enough quota available for {wanted.name} in SubscriptionId {SUBSCRIPTION_ID}. "
                f"Current usage/limit: {current}/{allowed}. Additional needed: {needed}. "
                "Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-outofquota"
            )
    return None
