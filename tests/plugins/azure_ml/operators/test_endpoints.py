"""Endpoints from reservation to deletion, and who may delete whose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.lifecycle.callbacks import clean_up
from azure_ml.operators import (
    AzureMLCheckEndpointNameOperator,
    AzureMLCreateEndpointOperator,
    AzureMLDeleteEndpointOperator,
)
from tests.support.azureml_service import AzureMLLocal
from tests.support.service_faults import NO_ROOM

MakeContext = Callable[..., Any]


def create(name: str, context: Any) -> dict[str, str]:
    return AzureMLCreateEndpointOperator(task_id="create", endpoint_name=name).execute(context)


def delete(name: str, context: Any, **arguments: Any) -> dict[str, Any]:
    return AzureMLDeleteEndpointOperator(task_id="delete", endpoint_name=name, **arguments).execute(context)


def reserve(name: str, context: Any, **arguments: Any) -> dict[str, str]:
    return AzureMLCheckEndpointNameOperator(task_id="reserve", endpoint_name=name, **arguments).execute(
        context
    )


def test_a_reservation_creates_nothing(hook: AzureMLHook, context: MakeContext, unique: str) -> None:
    assert reserve(unique, context()) == {"endpoint_name": unique}
    assert hook.endpoints.get(unique) is None


@pytest.mark.parametrize("name", ["ab", "1abc", "abc-", "with_underscore", "a" * 33, ""])
def test_a_name_that_azure_would_refuse_is_refused_here(
    connection: Any, context: MakeContext, name: str
) -> None:
    with pytest.raises(errors.BadInput, match="cannot be the name of an endpoint"):
        reserve(name, context())


def test_an_instance_type_that_the_model_does_not_allow_is_refused(
    connection: Any, context: MakeContext, unique: str
) -> None:
    with pytest.raises(errors.BadInput, match="'Standard_NC6' is not allowed for deployment"):
        reserve(unique, context(), instance_type="Standard_NC6", allowed_instance_types=["Standard_NC6s_v3"])


def test_a_name_that_is_taken_is_refused_and_the_other_endpoint_stays(
    hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    mine, somebody_elses = context(), context("another-run")
    create(unique, somebody_elses)
    for attempt in (reserve, create):
        with pytest.raises(errors.NameTaken, match=f"an endpoint '{unique}' of another owner"):
            attempt(unique, mine)
    clean_up(endpoint_name=lambda *_: unique)(mine)
    assert delete(unique, mine) == {"endpoint_name": unique, "exists_after": True}
    assert hook.endpoints.get(unique) is not None
    assert delete(unique, somebody_elses)["exists_after"] is False


def test_an_endpoint_is_created_once_and_tagged_with_its_run(
    hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context("run-1")
    first, again = create(unique, there), create(unique, there)
    assert first == again
    assert first["scoring_uri"].endswith(f"/{unique}/score")
    found = hook.endpoints.get(unique)
    assert found is not None
    tags = dict(found.tags)
    lease = datetime.fromisoformat(tags.pop("airflow_expires_at")) - datetime.now(UTC)
    assert timedelta(hours=5.9) < lease <= timedelta(hours=6)
    assert tags == {
        "airflow_dag_id": "a_dag",
        "airflow_run_id": "run-1",
        "airflow_project": "airflow",
        "airflow_task_id": "a_task",
    }
    delete(unique, there)


def test_a_creation_whose_answer_was_lost_is_found_again(
    azureml_local: AzureMLLocal, connection: Any, context: MakeContext, unique: str
) -> None:
    there = context()
    lost = {"kind": "lost_response", "method": "PUT", "path": f"*/onlineEndpoints/{unique}", "count": 1}
    with azureml_local.faults(lost):
        assert create(unique, there)["scoring_uri"]
    delete(unique, there)


def test_a_failed_creation_says_why_and_the_teardown_removes_its_remains(
    azureml_local: AzureMLLocal, hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context()
    with azureml_local.faults(NO_ROOM), pytest.raises(errors.OperationFailed, match="no room"):
        create(unique, there)
    assert delete(unique, there)["exists_after"] is False


def test_deleting_twice_is_as_good_as_once(connection: Any, context: MakeContext, unique: str) -> None:
    there = context()
    create(unique, there)
    for _ in range(2):
        assert delete(unique, there) == {"endpoint_name": unique, "exists_after": False}


def test_a_deletion_that_fails_is_tried_again(
    azureml_local: AzureMLLocal, connection: Any, context: MakeContext, unique: str
) -> None:
    there = context()
    create(unique, there)
    failure = {"kind": "operation_failed", "resource": "onlineEndpoints", "status": 500, "count": 1}
    with azureml_local.faults(failure):
        assert delete(unique, there)["exists_after"] is False


def test_a_deletion_that_is_refused_for_good_fails_with_the_reason(
    azureml_local: AzureMLLocal, connection: Any, context: MakeContext, unique: str
) -> None:
    there = context()
    create(unique, there)
    lock = {
        "kind": "status",
        "method": "DELETE",
        "path": f"*/onlineEndpoints/{unique}",
        "status": 409,
        "code": "ScopeLocked",
        "message": "a lock is on it",
        "count": None,
    }
    with azureml_local.faults(lock), pytest.raises(errors.Conflict, match="a lock is on it"):
        delete(unique, there)
    delete(unique, there)


def test_a_second_look_is_taken_when_the_creating_task_failed(
    hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context(create="failed")
    assert delete(unique, there, created_by="create", settle_seconds=0)["exists_after"] is False


@pytest.mark.parametrize(
    ("state", "goes"), [("failed", True), ("skipped", True), ("running", False), ("restarting", False)]
)
def test_a_killed_creation_deletes_only_what_somebody_has_ended(
    hook: AzureMLHook, context: MakeContext, unique: str, state: str, goes: bool
) -> None:
    there = context(a_task=state)
    operator = AzureMLCreateEndpointOperator(task_id="create", endpoint_name=unique)
    operator.execute(there)
    with pytest.raises(errors.Killed):
        operator.on_kill()
    assert (hook.endpoints.get(unique) is None) == goes
    assert delete(unique, there)["exists_after"] is False


def test_the_callback_cancels_and_deletes_from_the_run_alone_and_any_number_of_times(
    hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context()
    create(unique, there)
    callback = clean_up(endpoint_name=lambda *_: unique)
    for _ in range(2):
        callback({"dag": there["ti"], "run_id": there["run_id"]})
    assert delete(unique, there)["exists_after"] is False


def test_a_callback_that_cannot_reach_azure_raises_nothing(
    azureml_local: AzureMLLocal, connection: Any, context: MakeContext
) -> None:
    refusal = {"kind": "status", "path": "*/subscriptions/*", "status": 403, "code": "No", "count": None}
    with azureml_local.faults(refusal):
        clean_up(endpoint_name=lambda *_: "e")(context())
