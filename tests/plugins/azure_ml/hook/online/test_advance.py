"""Creating in steps: the same steps for a worker, which loops, and for the triggerer, which waits between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook.online.advance import Done
from azure_ml.hook.online.entities import EndpointSpec, TrafficSpec
from azure_ml.hook.online.operations import Pending
from azure_ml.lifecycle.tags import owner_tags
from tests.support.azureml_service import AzureMLLocal


@pytest.fixture
def spec(hook: AzureMLHook, unique: str) -> Iterator[EndpointSpec]:
    """An endpoint to create; it goes in the end."""
    owner = owner_tags("a_dag", unique)
    yield EndpointSpec(unique, owner)
    hook.endpoints.delete(unique, owner, 60)


def test_each_step_says_what_to_wait_for_and_the_last_that_nothing_is_left(
    azureml_local: AzureMLLocal, hook: AzureMLHook, spec: EndpointSpec
) -> None:
    with azureml_local.time("manual", "onlineEndpoints"):
        begun = hook.endpoints.advance(spec)
        assert isinstance(begun, Pending)
        assert begun.operation.startswith("/subscriptions/")
        assert hook.operations.is_active(begun)
        # Whoever comes later waits for what was begun, and begins nothing.
        assert hook.endpoints.advance(spec) == Pending(spec.name)
    while hook.operations.is_active(begun):
        pass
    assert hook.endpoints.resume(spec, begun) == Done()


def test_a_step_that_failed_says_why_and_the_next_round_repairs_it(
    azureml_local: AzureMLLocal, hook: AzureMLHook, spec: EndpointSpec
) -> None:
    failure = {"kind": "operation_failed", "resource": "onlineEndpoints", "status": 500, "message": "no room"}
    with azureml_local.faults(failure):
        begun = hook.endpoints.advance(spec)
        assert isinstance(begun, Pending)
        while hook.operations.is_active(begun):
            pass
    with pytest.raises(errors.OperationFailed, match="no room"):
        hook.endpoints.resume(spec, begun)
    hook.endpoints.create(spec, 60)
    assert hook.endpoints.require_up(spec).state == "Succeeded"


@pytest.mark.parametrize(
    ("message", "kind"),
    [("not enough quota", errors.QuotaExceeded), ("out of capacity", errors.NoCapacity)],
)
def test_a_worker_meets_the_same_error_as_the_triggerer(
    azureml_local: AzureMLLocal,
    hook: AzureMLHook,
    spec: EndpointSpec,
    message: str,
    kind: type[errors.AzureMLError],
) -> None:
    failure = {"kind": "operation_failed", "resource": "onlineEndpoints", "status": 400, "message": message}
    with azureml_local.faults(failure), pytest.raises(kind, match=message):
        hook.endpoints.create(spec, 60)


def test_traffic_of_an_endpoint_that_is_gone_cannot_be_sent(hook: AzureMLHook, unique: str) -> None:
    with pytest.raises(errors.NotFound, match="has vanished"):
        hook.traffic.advance(TrafficSpec(unique, "demo", {"whose": "ours"}))
