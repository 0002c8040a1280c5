"""Clusters through the SDK: created, refused, resized, deleted; sizes and quota."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.azureml_service import AzureMLLocal


def cluster(name: str, size: str = "Standard_NC24ads_A100_v4", **fields: object) -> object:
    from azure.ai.ml.entities import AmlCompute

    return AmlCompute(name=name, size=size, **{"max_instances": 1, **fields})


@pytest.fixture
def low_quota(azureml_local: AzureMLLocal) -> Iterator[None]:
    family = "standardNCADSA100v4Family"
    azureml_local.post("/_local/quota", {"family": family, "limit": 24})
    yield
    azureml_local.post("/_local/quota", {"family": family, "limit": 960})


def test_a_cluster_is_created_and_deleted(azureml_local: AzureMLLocal) -> None:
    compute = azureml_local.ml_client().compute
    made = compute.begin_create_or_update(cluster("gpu-one", tier="dedicated", max_instances=2)).result()
    assert (made.size, made.tier, made.max_instances) == ("Standard_NC24ads_A100_v4", "dedicated", 2)
    assert made.provisioning_state == "Succeeded"
    assert "gpu-one" in [item.name for item in compute.list()]
    assert list(compute.list_nodes("gpu-one")) == []
    compute.begin_delete("gpu-one").result()
    assert "gpu-one" not in [item.name for item in compute.list()]


def test_a_cluster_that_does_not_exist_is_not_found(azureml_local: AzureMLLocal) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match="'nobody'"):
        azureml_local.ml_client().compute.get("nobody")


def test_a_vm_size_that_does_not_exist_is_refused(azureml_local: AzureMLLocal) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match=r"InvalidVMSize.*Standard_NC9000"):
        azureml_local.ml_client().compute.begin_create_or_update(cluster("odd", "Standard_NC9000"))


def test_a_cluster_over_quota_is_refused_as_dedicated_and_made_as_low_priority(
    azureml_local: AzureMLLocal, low_quota: None
) -> None:
    from azure.core.exceptions import HttpResponseError

    compute = azureml_local.ml_client().compute
    with pytest.raises(HttpResponseError, match="ClusterCoreQuotaReached"):
        compute.begin_create_or_update(cluster("cheap", tier="dedicated", max_instances=2))
    made = compute.begin_create_or_update(cluster("cheap", tier="low_priority", max_instances=2)).result()
    assert made.tier == "low_priority"
    compute.begin_delete("cheap").result()


def test_a_failed_operation_leaves_a_failed_cluster_that_can_be_made_again(
    azureml_local: AzureMLLocal,
) -> None:
    from azure.core.exceptions import HttpResponseError

    compute = azureml_local.ml_client().compute
    fault = {
        "kind": "operation_failed",
        "resource": "computes",
        "code": "AllocationFailed",
        "message": "No nodes.",
    }
    with azureml_local.faults(fault), pytest.raises(HttpResponseError, match="AllocationFailed"):
        compute.begin_create_or_update(cluster("broken")).result()
    broken = compute.get("broken")
    assert (broken.provisioning_state, broken.provisioning_errors) == ("Failed", "AllocationFailed")
    assert (
        compute.begin_create_or_update(cluster("broken", tier="low_priority")).result().provisioning_state
        == "Succeeded"
    )
    compute.begin_delete("broken").result()


def test_a_cluster_keeps_its_size_and_takes_another_scale(azureml_local: AzureMLLocal) -> None:
    from azure.core.exceptions import HttpResponseError

    compute = azureml_local.ml_client().compute
    compute.begin_create_or_update(cluster("steady", "Standard_DS3_v2", max_instances=1)).result()
    grown = compute.begin_create_or_update(
        cluster("steady", "STANDARD_DS3_V2", min_instances=1, max_instances=4)
    ).result()
    assert grown.max_instances == 4
    assert len(list(compute.list_nodes("steady"))) == 1
    with pytest.raises(HttpResponseError, match="cannot be changed"):
        compute.begin_create_or_update(cluster("steady", "Standard_NC6s_v3"))
    compute.begin_delete("steady").result()


def test_a_second_operation_has_to_wait_for_the_first(azureml_local: AzureMLLocal) -> None:
    from azure.core.exceptions import HttpResponseError

    compute = azureml_local.ml_client().compute
    with azureml_local.time("manual", "computes"):
        poller = compute.begin_create_or_update(cluster("slow", "Standard_DS3_v2"))
        assert compute.get("slow").provisioning_state == "Creating"
        with pytest.raises(HttpResponseError, match="ConflictingOperation"):
            compute.begin_delete("slow")
        azureml_local.post("/_local/time/advance?noun=computes")
        assert poller.result().provisioning_state == "Succeeded"
    compute.begin_delete("slow").result()


@pytest.mark.parametrize(
    ("name", "gpus"),
    [("Standard_NC24ads_A100_v4", 1), ("Standard_ND40rs_v2", 8), ("Standard_NC6", 1), ("Standard_DS3_v2", 0)],
)
def test_sizes_tell_their_gpus(azureml_local: AzureMLLocal, name: str, gpus: int) -> None:
    sizes = {size.name: size for size in azureml_local.ml_client().compute.list_sizes()}
    assert sizes[name].gpus == gpus


def test_usage_counts_the_cores_of_clusters(azureml_local: AzureMLLocal) -> None:
    compute = azureml_local.ml_client().compute

    def used() -> int:
        # The SDK keeps the fields of a usage under their names on the wire.
        rows = {row.name["value"]: vars(row)["currentValue"] for row in compute.list_usage()}
        return int(rows["standardNCSv3Family Cluster Dedicated vCPUs"])

    before = used()
    compute.begin_create_or_update(cluster("counted", "Standard_NC6s_v3", max_instances=3)).result()
    assert used() == before + 18
    compute.begin_delete("counted").result()
    assert used() == before


@pytest.mark.parametrize("name", ["1st", "x", "under_score", "a" * 25])
def test_a_name_that_azure_refuses_is_refused(azureml_local: AzureMLLocal, name: str) -> None:
    body = {
        "location": "eastus",
        "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_DS3_v2"}},
    }
    answer = azureml_local.arm("PUT", f"/computes/{name}", json=body)
    assert answer.status_code == 400
    assert repr(name) in answer.json()["error"]["message"]


def test_the_scale_alone_can_be_patched(azureml_local: AzureMLLocal) -> None:
    compute = azureml_local.ml_client().compute
    compute.begin_create_or_update(cluster("patched", "Standard_DS3_v2")).result()
    scale = {"scaleSettings": {"minNodeCount": 2, "maxNodeCount": 3}}
    assert azureml_local.arm(
        "PATCH", "/computes/patched", json={"properties": {"properties": scale}}
    ).is_success
    assert compute.get("patched").max_instances == 3
    assert azureml_local.arm("PATCH", "/computes/nobody", json={}).status_code == 404
    compute.begin_delete("patched").result()
