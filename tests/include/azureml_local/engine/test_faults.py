"""Faults happen as often as asked, where asked, and then never again."""

from __future__ import annotations

import asyncio

import pytest

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.faults import Fault, Faults


def _armed(**fields: object) -> Faults:
    faults = Faults()
    faults.add(Fault.model_validate(fields))
    return faults


def test_a_fault_meets_the_requests_of_its_pattern_only() -> None:
    faults = _armed(kind="status", method="PUT", path="*/onlineEndpoints/*")
    assert faults.take_request("GET", "/a/onlineEndpoints/e") is None
    assert faults.take_request("PUT", "/a/computes/c") is None
    assert faults.take_request("PUT", "/a/onlineEndpoints/e") is not None


def test_a_fault_is_used_up_after_its_count() -> None:
    faults = _armed(kind="reset", count=2)
    assert [bool(faults.take_request("GET", "/x")) for _ in range(3)] == [True, True, False]


def test_a_fault_without_a_count_happens_always() -> None:
    faults = _armed(kind="status", count=None)
    assert all(faults.take_request("GET", "/x") for _ in range(5))


def test_a_fault_of_probability_zero_never_happens() -> None:
    faults = _armed(kind="status", probability=0.0)
    assert faults.take_request("GET", "/x") is None


def test_a_job_fault_meets_its_step_only() -> None:
    faults = _armed(kind="job_failed", step="chat_completion_finetune")
    assert faults.take_job("job_failed", "chat_completion_model_import") is None
    assert faults.take_job("job_failed", "chat_completion_finetune") is not None
    assert faults.take_job("job_failed", "chat_completion_finetune") is None


def test_an_operation_fault_raises_its_code_for_its_noun() -> None:
    faults = _armed(
        kind="operation_failed", resource="onlineDeployments", code="OutOfQuota", message="no cores"
    )
    asyncio.run(faults.on_operation("onlineEndpoints", "e"))
    with pytest.raises(ArmError, match="no cores") as refusal:
        asyncio.run(faults.on_operation("onlineDeployments", "e/demo"))
    assert refusal.value.code == "OutOfQuota"
    asyncio.run(faults.on_operation("onlineDeployments", "e/demo"))


def test_a_stuck_operation_hangs() -> None:
    faults = _armed(kind="operation_stuck", resource="computes")

    async def scenario() -> bool:
        work = asyncio.create_task(faults.on_operation("computes", "c"))
        for _ in range(10):
            await asyncio.sleep(0)
        stuck = not work.done()
        work.cancel()
        return stuck

    assert asyncio.run(scenario())


def test_a_fault_may_be_meant_for_one_client() -> None:
    faults = _armed(kind="status", agent="*chaos/run-1/*")
    assert faults.take_request("GET", "/x", "azsdk-python chaos/run-2/") is None
    assert faults.take_request("GET", "/x", "azsdk-python chaos/run-1/") is not None


def test_a_fault_of_a_step_may_be_meant_for_one_job() -> None:
    faults = _armed(kind="job_failed", step="train", job="mine*")
    assert faults.take_job("job_failed", "train", "other") is None
    assert faults.take_job("job_failed", "train", "mine-2") is not None


def test_an_operation_may_be_made_to_fail_for_one_resource() -> None:
    faults = _armed(kind="operation_failed", resource="onlineDeployments", key="mine/*")
    asyncio.run(faults.on_operation("onlineDeployments", "other/demo"))
    with pytest.raises(ArmError):
        asyncio.run(faults.on_operation("onlineDeployments", "mine/demo"))


def test_an_operation_that_is_stuck_for_a_while_goes_on() -> None:
    faults = _armed(kind="operation_stuck", delay_seconds=0.01)
    asyncio.run(asyncio.wait_for(faults.on_operation("computes", "c"), 5))
    assert faults.waiting == []


def test_a_fault_may_be_meant_for_one_verb() -> None:
    faults = _armed(kind="operation_failed", resource="onlineEndpoints.create", count=None)
    asyncio.run(faults.on_operation("onlineEndpoints.delete", "e"))
    with pytest.raises(ArmError):
        asyncio.run(faults.on_operation("onlineEndpoints.create", "e"))
