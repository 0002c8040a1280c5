"""Endpoints and deployments that are waited for in the triggerer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.sdk._shared.module_loading import import_string
from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook.online.entities import EndpointSpec
from azure_ml.lifecycle.tags import owner_tags
from azure_ml.operators import AzureMLCreateEndpointOperator, AzureMLDeployModelOperator
from azure_ml.operators.rendered import deferred
from azure_ml.triggers.event import deadline_in
from azure_ml.triggers.online import OperationTrigger
from tests.support.azureml_service import AzureMLLocal
from tests.support.service_faults import CRASHED, NO_ROOM

pytestmark = pytest.mark.shares("trained_job")

MakeContext = Callable[..., Any]


def event_of(trigger: OperationTrigger) -> dict[str, Any]:
    async def run() -> Any:
        return await asyncio.wait_for(anext(aiter(trigger.run())), 60)

    return dict(asyncio.run(run()).payload)


def rebuilt(trigger: Any) -> OperationTrigger:
    """The trigger as the triggerer makes it from the database."""
    path, arguments = trigger.serialize()
    found: OperationTrigger = import_string(path)(**json.loads(json.dumps(arguments)))
    return found


def run_deferred(make: Callable[[], Any], context: Any) -> tuple[dict[str, Any], int]:
    """What a deferrable operator returns in the end, each part in an operator of its own; and its deferrals."""
    call: Callable[[], Any] = lambda: make().execute(context)  # noqa: E731
    for deferrals in range(10):
        try:
            return call(), deferrals
        except TaskDeferred as told:
            event = event_of(rebuilt(told.trigger))
            method = told.method_name
            call = lambda: getattr(make(), method)(context, event=event)  # noqa: B023, E731
    raise AssertionError("deferred without end")


def creator(name: str, **arguments: Any) -> Callable[[], Any]:
    return lambda: AzureMLCreateEndpointOperator(
        task_id="create", endpoint_name=name, deferrable=True, poll_seconds=0.1, **arguments
    )


@pytest.fixture
def endpoint(hook: AzureMLHook, context: MakeContext, unique: str) -> Iterator[tuple[str, Any]]:
    """An endpoint, and the context of the run that made it."""
    there = context()
    owner = owner_tags("a_dag", there["run_id"])
    hook.endpoints.create(EndpointSpec(unique, owner), 60)
    yield unique, there
    hook.endpoints.delete(unique, owner, 60)


def test_a_trigger_carries_ids_only_and_survives_being_written_down() -> None:
    trigger = OperationTrigger("e", "c", deadline_in(60), "d", "/subscriptions/x", 7)
    assert rebuilt(trigger).serialize() == trigger.serialize()


@pytest.mark.parametrize(("asked", "given"), [(0, 0.1), (1e9, 120)])
def test_the_pause_between_looks_is_bounded(asked: float, given: float) -> None:
    assert OperationTrigger("e", "c", deadline_in(60), poll_seconds=asked).poll_seconds == given


@pytest.mark.parametrize(
    ("value", "expected"), [(None, False), ("None", False), ("True", True), (False, False)]
)
def test_nothing_said_about_deferring_means_airflows_default(value: Any, expected: bool) -> None:
    assert deferred(value) is expected


def test_airflows_default_may_be_to_defer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    assert deferred(None) is True


def test_an_endpoint_is_created_once_while_no_worker_waits(
    hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context()
    done, deferrals = run_deferred(creator(unique), there)
    assert done["scoring_uri"].endswith(f"/{unique}/score")
    assert deferrals == 1
    assert run_deferred(creator(unique), there) == (done, 0)
    hook.endpoints.delete(unique, owner_tags("a_dag", there["run_id"]), 60)


def test_a_retry_waits_for_the_creation_that_a_crashed_worker_has_begun(
    azureml_local: AzureMLLocal, hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context()
    with azureml_local.time("manual", "onlineEndpoints"):
        for _ in range(2):
            with pytest.raises(TaskDeferred) as told:
                creator(unique)().execute(there)
    assert told.value.trigger.operation == ""
    assert run_deferred(creator(unique), there)[0]["endpoint_name"] == unique
    hook.endpoints.delete(unique, owner_tags("a_dag", there["run_id"]), 60)


def test_a_creation_that_fails_says_why_across_the_deferral(
    azureml_local: AzureMLLocal, hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context()
    with azureml_local.faults(NO_ROOM), pytest.raises(errors.OperationFailed, match="no room"):
        run_deferred(creator(unique), there)
    # A retry removes what failed, and makes it anew.
    assert run_deferred(creator(unique), there)[0]["endpoint_name"] == unique
    hook.endpoints.delete(unique, owner_tags("a_dag", there["run_id"]), 60)


def test_a_creation_refused_for_quota_is_a_quota_error_across_the_deferral(
    azureml_local: AzureMLLocal, hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context()
    failure = {
        "kind": "operation_failed",
        "resource": "onlineEndpoints",
        "status": 400,
        "code": "OutOfQuota",
        "message": "not enough quota",
    }
    with azureml_local.faults(failure), pytest.raises(errors.QuotaExceeded, match="not enough quota"):
        run_deferred(creator(unique), there)
    hook.endpoints.delete(unique, owner_tags("a_dag", there["run_id"]), 60)


def test_the_deadline_ends_the_waiting(
    azureml_local: AzureMLLocal, hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context()
    with (
        azureml_local.time("manual", "onlineEndpoints"),
        pytest.raises(errors.OperationTimeout, match="it has not ended by"),
    ):
        run_deferred(creator(unique, timeout_seconds=0), there)
    hook.endpoints.delete(unique, owner_tags("a_dag", there["run_id"]), 60)


def test_a_service_that_stumbles_is_asked_again(
    azureml_local: AzureMLLocal, endpoint: tuple[str, Any]
) -> None:
    fault = {"kind": "status", "path": f"*/onlineEndpoints/{endpoint[0]}", "status": 409, "count": 2}
    with azureml_local.faults(fault):
        event = event_of(OperationTrigger(endpoint[0], "azure_ml_default", deadline_in(60), poll_seconds=0.1))
    assert event["state"] == "Succeeded"


def test_an_endpoint_that_is_gone_is_told_as_such(connection: Any, unique: str) -> None:
    event = event_of(OperationTrigger(unique, "azure_ml_default", deadline_in(60)))
    assert event["state"] is None


@pytest.mark.parametrize(
    ("state", "goes"), [("failed", True), ("skipped", True), ("success", False), ("deferred", False)]
)
def test_a_kill_deletes_the_endpoint_only_if_its_creation_was_ended_for_good(
    hook: AzureMLHook, endpoint: tuple[str, Any], monkeypatch: pytest.MonkeyPatch, state: str, goes: bool
) -> None:
    name, there = endpoint
    # The state comes from Airflow's API server, which is not running here.
    told = {there["run_id"]: {"a_task": state}}
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", lambda **_: told)
    trigger = OperationTrigger(name, "azure_ml_default", deadline_in(60))
    trigger.task_instance = there["ti"]
    asyncio.run(trigger.on_kill())
    left = hook.endpoints.get(name)
    assert (left is None or left.state == "Deleting") == goes


def deployer(endpoint: str, model_id: str) -> Callable[[], Any]:
    return lambda: AzureMLDeployModelOperator(
        task_id="deploy",
        endpoint_name=endpoint,
        deployment_name="demo",
        model_id=model_id,
        instance_type="Standard_NC6s_v3",
        deferrable="true",
        poll_seconds=0.1,
    )


@pytest.fixture(scope="module")
def model_id(hook: AzureMLHook, trained_job: tuple[str, list[str]]) -> str:
    return hook.models.register_output(trained_job[0], "trained_model", "tests-deferred").id


def test_a_deployment_and_its_traffic_are_waited_for_in_turn_and_made_once(
    hook: AzureMLHook, endpoint: tuple[str, Any], model_id: str
) -> None:
    name, there = endpoint
    done, deferrals = run_deferred(deployer(name, model_id), there)
    assert done["deployment_name"] == "demo"
    assert deferrals == 2
    made = hook.deployments.list(name)
    assert [(one.state, one.instance_count) for one in made] == [("Succeeded", 1)]
    assert made[0].tags["airflow_expires_at"]
    found = hook.endpoints.get(name)
    assert found is not None
    assert found.traffic == {"demo": 100}
    assert run_deferred(deployer(name, model_id), there) == (done, 0)


def test_a_deployment_that_fails_has_its_log_saved_where_it_outlives_the_endpoint(
    azureml_local: AzureMLLocal, hook: AzureMLHook, endpoint: tuple[str, Any], model_id: str
) -> None:
    name, there = endpoint
    with (
        azureml_local.faults(CRASHED),
        pytest.raises(errors.OperationFailed, match="User container has crashed"),
    ):
        run_deferred(deployer(name, model_id), there)
    uri = there["ti"].pushed["deployment_log_uri"]
    assert uri.endswith(f"/paths/azureml/deployment-logs/{name}/demo-1.txt")
    assert there["ti"].pushed["deployment_log_url"].startswith("https://")
    hook.endpoints.delete(name, owner_tags("a_dag", there["run_id"]), 60)
    saved = hook.data.read_lines(uri)
    assert "===== inference-server =====" in saved
    assert "===== storage-initializer =====" in saved


def test_a_deployment_of_somebody_elses_is_not_taken_over(
    hook: AzureMLHook, endpoint: tuple[str, Any], model_id: str, context: MakeContext
) -> None:
    name, there = endpoint
    run_deferred(deployer(name, model_id), there)
    with pytest.raises(errors.NameTaken, match="of another owner"):
        run_deferred(deployer(name, model_id), context("another-run"))
