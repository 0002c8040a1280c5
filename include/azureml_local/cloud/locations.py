"""What a location offers: VM sizes, usage and quota of vCPUs."""

from __future__ import annotations

from fastapi import Request

from azureml_local.arm import grammar
from azureml_local.arm.grammar import LOCATION_PATH, ArmError, Json
from azureml_local.compute.quota import DEDICATED, LOW_PRIORITY, Quota, QuotaDep
from azureml_local.compute.sizes import sizes
from azureml_local.routing import StoreDep, authorized_router
from azureml_local.settings import LOCATION, SUBSCRIPTION_ID

router = authorized_router(doc=__doc__)


def _check(subscription: str, location: str) -> None:
    if subscription != SUBSCRIPTION_ID:
        raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
    if location.lower() != LOCATION:
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"There is no location {location!r} here: use {LOCATION!r}.",
            target=location,
        )


@router.get(f"{LOCATION_PATH}/vmSizes")
async def vm_sizes(subscription: str, location: str) -> Json:
    """Every VM size with vCPUs, memory and GPUs."""
    _check(subscription, location)
    return {
        "value": [
            {
                "name": size.name,
                "family": size.family,
                "vCPUs": size.vcpus,
                "gpus": size.gpus,
                "osVhdSizeMB": 1047552,
                "maxResourceVolumeMB": size.disk_gb * 1024,
                "memoryGB": float(size.memory_gb),
                "lowPriorityCapable": True,
                "premiumIO": "s_v" in size.name.lower() or "as_" in size.name.lower(),
                "estimatedVMPrices": None,
                "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
            }
            for size in sizes().values()
        ]
    }


def _rows(quota: Quota, clusters: int) -> list[tuple[str, str, str, int, int]]:
    """Type, id tail, name, use and limit of every count."""
    used = quota.in_use()
    totals = (("dedicatedCores", "Dedicated", DEDICATED), ("lowPriorityCores", "LowPriority", LOW_PRIORITY))
    rows = [("totalCores", "", "Clusters", clusters, 500)]
    for kind, label, key in totals:
        rows.append((kind, "", f"Total Cluster {label} Regional vCPUs", used.get(key, 0), quota.limit(key)))
    for family in dict.fromkeys(size.family for size in sizes().values()):
        label = f"{family} Cluster Dedicated vCPUs"
        tail = f"/{label.replace(' ', '_')}"
        rows.append(("vmFamily", tail, label, used.get(family, 0), quota.limit(family)))
    return rows


@router.get(f"{LOCATION_PATH}/usages")
async def usages(
    subscription: str, location: str, quota: QuotaDep, store: StoreDep, request: Request
) -> Json:
    """Use and limit of clusters and vCPUs, in all and by family."""
    _check(subscription, location)
    return grammar.page(
        request,
        [
            {
                "id": f"/subscriptions/{subscription}/usages{tail}",
                "type": f"{grammar.PROVIDER}/{kind}/usages",
                "amlWorkspaceLocation": location,
                "unit": "Count",
                "currentValue": current,
                "limit": limit,
                "name": {"value": name, "localizedValue": name},
            }
            for kind, tail, name, current, limit in _rows(quota, len(store.list("computes")))
        ],
        size=500,
    )


@router.get(f"{LOCATION_PATH}/quotas")
async def quotas(subscription: str, location: str, quota: QuotaDep, request: Request) -> Json:
    """Limits of vCPUs by family."""
    _check(subscription, location)
    return grammar.page(
        request,
        [
            {
                "id": f"/subscriptions/{subscription}/quotas{tail}",
                "type": f"{grammar.PROVIDER}/{kind}/quotas",
                "amlWorkspaceLocation": location,
                "unit": "Count",
                "limit": limit,
                "name": {"value": name, "localizedValue": name},
            }
            for kind, tail, name, _, limit in _rows(quota, 0)
            if kind == "vmFamily"
        ],
        size=500,
    )
