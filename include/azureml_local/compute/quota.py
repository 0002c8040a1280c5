"""The quota of vCPUs: its limits, what is in use, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from azureml_local.arm.grammar import ArmError
from azureml_local.compute.sizes import VmSize, sizes
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Document, Store
from azureml_local.routing import part
from azureml_local.settings import SUBSCRIPTION_ID

DEDICATED, LOW_PRIORITY = "totalDedicatedCores", "totalLowPriorityCores"
# Names of the regional totals and their limits in vCPUs.
TOTALS = {DEDICATED: 2000, LOW_PRIORITY: 1000}
# vCPUs of one family that a subscription starts with.
FAMILY_LIMIT = 960


def serving_cores(size: VmSize, instances: int) -> int:
    """VCPUs that a deployment counts for: a fifth more instances, rounded up, are kept for its upgrades.

    Source: the quota page of managed online endpoints: ceil(1.2 * instances) * cores of the size.
    """
    return -(-12 * instances // 10) * size.vcpus


@dataclass(frozen=True)
class Claim:
    """Nodes of serverless compute."""

    size: VmSize
    nodes: int
    low_priority: bool

    @property
    def cores(self) -> int:
        """VCPUs of all nodes together."""
        return self.size.vcpus * self.nodes

    @property
    def keys(self) -> list[str]:
        """What the cores are counted under."""
        return [LOW_PRIORITY] if self.low_priority else [self.size.family, DEDICATED]


class Quota(Part):
    """Counts vCPUs; limits that were set lie in the store under the kind ``quota``, by family or total.

    Attributes:
        claims: what steps on serverless compute hold now, by run.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.claims: dict[str, Claim] = {}

    def limit(self, key: str) -> int:
        """VCPUs that a family, or a regional total, may use."""
        document = self._store.get("quota", key)
        return int(document["limit"]) if document else TOTALS.get(key, FAMILY_LIMIT)

    def set_limit(self, key: str, limit: int) -> None:
        """Set the limit of a family, or of a regional total, in vCPUs.

        Raises:
            ArmError: 400 for a family that no size has.
        """
        known = {*TOTALS, *(size.family for size in sizes().values())}
        if key not in known:
            raise ArmError(
                400, "UserError", f"There is no family {key!r}; there are: {', '.join(sorted(known))}."
            )
        self._store.put("quota", key, {"limit": limit})

    def in_use(self, *, but: str = "") -> dict[str, int]:
        """VCPUs by family and total: of clusters at their largest, of deployments, of steps without a cluster.

        Args:
            but: name of a cluster, or ``<endpoint>/<deployment>``, to leave out.
        """
        used: dict[str, int] = {}
        for document in self._store.list("onlineDeployments"):
            if document.key != but:
                _add(used, *_of_deployment(document))
        for document in self._store.list("computes"):
            if document.key != but:
                _add(used, *_of_cluster(document))
        for claim in self.claims.values():
            _add(used, claim.cores, claim.keys)
        return used

    def holds(self, claim: Claim) -> bool:
        """Whether as many cores are free now."""
        used = self.in_use()
        return all(used.get(key, 0) + claim.cores <= self.limit(key) for key in claim.keys)

    def check_limit(self, claim: Claim) -> None:
        """Refuse what would not be given if all cores were free.

        Raises:
            ArmError: 400 ``InsufficientQuota``.
        """
        for key in claim.keys:
            if claim.cores > self.limit(key):
                raise ArmError(
                    400,
                    "InsufficientQuota",
                    f"{claim.nodes} of {claim.size.name} have {claim.cores} cores, and the quota of {key} has "
                    f"{self.limit(key)}: take fewer or smaller nodes, or raise the quota.",
                    target="instanceType",
                )

    def check(self, cluster: str, size: VmSize, nodes: int, *, low_priority: bool) -> None:
        """Refuse a cluster whose largest size the quota does not hold.

        Raises:
            ArmError: 400 ``ClusterCoreQuotaReached``.
        """
        used, additional = self.in_use(but=cluster), size.vcpus * nodes
        for key in [LOW_PRIORITY] if low_priority else [size.family, DEDICATED]:
            allowed, current = self.limit(key), used.get(key, 0)
            if current + additional > allowed:
                raise ArmError(
                    400,
                    "ClusterCoreQuotaReached",
                    f"Operation results in exceeding quota limits of {key}. Maximum allowed: {allowed}, "
                    f"Current in use: {current}, Additional requested: {additional}.",
                    target=cluster,
                )

    def lacking(self, deployment: str, size: VmSize, instances: int) -> str | None:
        """Why the quota does not hold a deployment, None if it does; in the words of online endpoints.

        Args:
            deployment: ``<endpoint>/<deployment>``; what it has already is not counted.
            size: its VM size.
            instances: how many of these.
        """
        used, needed = self.in_use(but=deployment), serving_cores(size, instances)
        for key in (size.family, DEDICATED):
            allowed, current = self.limit(key), used.get(key, 0)
            if current + needed > allowed:
                return (
                    f"Not enough quota available for {size.name} in SubscriptionId {SUBSCRIPTION_ID}. "
                    f"Current usage/limit: {current}/{allowed}. Additional needed: {needed}. "
                    "Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-outofquota"
                )
        return None


def _of_deployment(document: Document) -> tuple[int, list[str]]:
    """VCPUs that a deployment counts for, and what they are counted under."""
    size = sizes().get(str(document["properties"].get("instanceType")).lower())
    # It was refused its machines, so it has none.
    if size is None or (document.get("provisioningError") or {}).get("code") == "OutOfQuota":
        return 0, []
    cores = serving_cores(size, int((document.get("sku") or {}).get("capacity") or 1))
    return cores, [DEDICATED, size.family]


def _of_cluster(document: Document) -> tuple[int, list[str]]:
    inner = document["properties"].get("properties") or {}
    size = sizes().get(str(inner.get("vmSize")).lower())
    if size is None:
        return 0, []
    cores = size.vcpus * int((inner.get("scaleSettings") or {}).get("maxNodeCount", 1))
    low = inner.get("vmPriority") == "LowPriority"
    return cores, [LOW_PRIORITY] if low else [DEDICATED, size.family]


def _add(used: dict[str, int], cores: int, keys: list[str]) -> None:
    for key in keys:
        used[key] = used.get(key, 0) + cores


QuotaDep = Annotated[Quota, part(Quota)]
