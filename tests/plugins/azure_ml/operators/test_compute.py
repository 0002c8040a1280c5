"""Checking, taking and creating GPU clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azure_ml.errors import BadInput, QuotaExceeded
from azure_ml.hook import AzureMLHook
from azure_ml.operators import AzureMLGetOrCreateComputeOperator, AzureMLValidateComputeOperator
from tests.support.azureml_service import AzureMLLocal

A100 = "Standard_NC24ads_A100_v4"


def check(context: Callable[..., Any], vm_size: str, **arguments: Any) -> dict[str, Any]:
    operator = AzureMLValidateComputeOperator(
        task_id="check", **{"compute_name": "no-such-cluster", "vm_size": vm_size, **arguments}
    )
    return operator.execute(context())


def create(context: Callable[..., Any], name: str, vm_size: str = A100) -> dict[str, Any]:
    operator = AzureMLGetOrCreateComputeOperator(task_id="create", compute_name=name, vm_size=vm_size)
    return operator.execute(context())


def test_a_size_that_fits_is_accepted_and_nothing_is_created(
    hook: AzureMLHook, context: Callable[..., Any]
) -> None:
    found = check(context, A100.upper(), allowed_vm_sizes=[A100])
    assert found["gpus"] == 1
    assert not found["exists"]
    assert hook.compute.get("no-such-cluster") is None


@pytest.mark.parametrize(
    ("vm_size", "allowed", "sentence"),
    [
        (
            "Standard_NC6s_v3",
            [A100],
            rf"'Standard_NC6s_v3' is not allowed for fine-tuning.*choose one of {A100}",
        ),
        ("Standard_NC6s_v3", f'["{A100}"]', "is not allowed for fine-tuning"),
        ("Standard_NC6s_v3", A100, "is not allowed for fine-tuning"),
        ("Standard_NC24r", None, "'Standard_NC24r' has a K80 GPU"),
        ("Standard_XYZ", None, rf"'Standard_XYZ' does not exist.*the sizes with GPUs are .*{A100}"),
    ],
)
def test_a_size_that_does_not_fit_is_refused_before_anything_is_created(
    hook: AzureMLHook, context: Callable[..., Any], vm_size: str, allowed: Any, sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        check(context, vm_size, allowed_vm_sizes=allowed)
    assert hook.compute.get("no-such-cluster") is None


def test_a_size_without_gpus_is_refused(connection: Any, context: Callable[..., Any]) -> None:
    with pytest.raises(BadInput, match="'Standard_DS3_v2' has no GPU"):
        check(context, "Standard_DS3_v2")


def test_a_cluster_is_created_dedicated_and_taken_the_next_time(
    hook: AzureMLHook, context: Callable[..., Any], unique: str
) -> None:
    first, second = create(context, unique), create(context, unique)
    assert (first["created"], first["tier"]) == (True, "dedicated")
    assert (second["created"], second["exists"]) == (False, True)
    assert hook.compute.get(unique) is not None


def test_it_is_the_size_of_the_cluster_that_exists_which_counts(
    connection: Any, context: Callable[..., Any], unique: str
) -> None:
    create(context, unique, "Standard_NC48ads_A100_v4")
    found = check(context, A100, compute_name=unique)
    assert (found["vm_size"], found["gpus"]) == ("Standard_NC48ads_A100_v4", 2)


def quota_reached(cluster: str, count: int = 1) -> dict[str, Any]:
    """The fault of a cluster that is refused for its cores, ``count`` times."""
    return {
        "kind": "status",
        "method": "PUT",
        "path": f"*/computes/{cluster}",
        "status": 409,
        "code": "ClusterCoreQuotaReached",
        "message": "The quota is used up.",
        "count": count,
    }


def test_a_refused_dedicated_cluster_is_created_at_low_priority(
    azureml_local: AzureMLLocal, connection: Any, context: Callable[..., Any], unique: str
) -> None:
    with azureml_local.faults(quota_reached(unique)):
        assert create(context, unique)["tier"] == "low_priority"


def test_when_both_tiers_are_refused_the_sentence_has_both_reasons(
    azureml_local: AzureMLLocal, connection: Any, context: Callable[..., Any], unique: str
) -> None:
    with azureml_local.faults(quota_reached(unique, count=2)), pytest.raises(QuotaExceeded) as caught:
        create(context, unique)
    assert "low_priority cluster" in str(caught.value)
    assert "dedicated cluster" in str(caught.value)


def test_a_cluster_in_failed_state_is_refused(
    azureml_local: AzureMLLocal, connection: Any, context: Callable[..., Any], unique: str
) -> None:
    failure = {
        "kind": "operation_failed",
        "resource": "computes",
        "status": 500,
        "code": "X",
        "message": "no",
    }
    with azureml_local.faults({**failure, "count": 2}), pytest.raises(Exception, match="Cannot create"):
        create(context, unique)
    with pytest.raises(BadInput, match=rf"The cluster '{unique}' is in state 'Failed'.*name another cluster"):
        check(context, A100, compute_name=unique)
