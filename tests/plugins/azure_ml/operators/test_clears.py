"""A task that was cleared in a finished run pays for nothing that nobody would end; asked of the installed Airflow."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.lifecycle.teardown import require_to_come
from azure_ml.operators import AzureMLCreateEndpointOperator, AzureMLDeleteEndpointOperator
from tests.support.azureml_service import ROOT

# What a task of the Dag pays for by the hour, and the teardown that ends it.
ENDED_BY = {
    "submit_job": "cancel_job",
    "wait_for_job": "cancel_job",
    "create_endpoint": "delete_endpoint",
    "deploy": "delete_endpoint",
}
# Each costs nothing while it lies there, and a second try finds the first one's.
FREE = ("prepare_compute", "prepare_data", "register_model")
CLEARED = [(task,) for task in ENDED_BY] + list(itertools.combinations(ENDED_BY, 2))


@pytest.fixture(scope="module")
def dag() -> Any:
    return DagBag(dag_folder=str(ROOT / "dags")).dags["finetune_chat_completion"]


def refused(dag: Any, context: Any, task_id: str, states: Mapping[str, str | None]) -> bool:
    context["ti"].states = {**context["ti"].states, **states}
    try:
        dag.get_task(task_id).require_teardown(context)
    except errors.BadInput as error:
        return f"Clear {task_id!r} together with all tasks downstream" in str(error)
    return False


@pytest.mark.parametrize("cleared", CLEARED, ids="+".join)
def test_in_a_finished_run_a_task_that_pays_refuses_unless_its_teardown_was_cleared_too(
    dag: Any, context: Any, cleared: tuple[str, ...]
) -> None:
    finished = dict.fromkeys(ENDED_BY.values(), "success")
    for task_id in cleared:
        assert refused(dag, context(), task_id, finished)
        assert not refused(dag, context(), task_id, {**finished, ENDED_BY[task_id]: None})


@pytest.mark.parametrize(
    "state", ["scheduled", "queued", "running", "deferred", "failed", "skipped", "removed"]
)
@pytest.mark.parametrize("task_id", ENDED_BY)
def test_a_teardown_that_is_on_its_way_or_over_ends_nothing_that_comes_later(
    dag: Any, context: Any, task_id: str, state: str
) -> None:
    assert refused(dag, context(), task_id, {ENDED_BY[task_id]: state})


@pytest.mark.parametrize("state", [None, "up_for_retry", "up_for_reschedule"])
@pytest.mark.parametrize("task_id", ENDED_BY)
def test_in_a_running_run_the_teardown_is_to_come_and_every_clear_may_create(
    dag: Any, context: Any, task_id: str, state: str | None
) -> None:
    assert not refused(dag, context(), task_id, {ENDED_BY[task_id]: state})


@pytest.mark.parametrize("task_id", FREE)
def test_what_costs_nothing_while_it_lies_there_has_no_teardown(dag: Any, context: Any, task_id: str) -> None:
    assert not refused(dag, context(), task_id, dict.fromkeys(ENDED_BY.values(), "success"))


def test_without_a_teardown_nobody_is_asked() -> None:
    require_to_come({}, [], "create")


@pytest.fixture(scope="module")
def finished_run(airflow_db: None, connection: Any) -> Any:
    """A run of Airflow that has created and deleted an endpoint, and the Dag."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    with DAG("cleared_endpoint", schedule=None) as dag:
        create = AzureMLCreateEndpointOperator(
            task_id="create", endpoint_name="cleared-endpoint", deferrable=False
        )
        delete = AzureMLDeleteEndpointOperator(
            task_id="delete", endpoint_name="cleared-endpoint", created_by="create"
        )
        create >> delete.as_teardown()
    dag.fileloc = str(ROOT / "dags" / "cleared_endpoint.py")
    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)  # type: ignore[no-untyped-call]
    with create_session() as session:
        update_dag_parsing_results_in_db(
            "dags-folder", None, [LazyDeserializedDAG.from_dag(dag)], {}, None, set(), session=session
        )
    run = dag.test()
    assert run.state == "success"
    return dag, run


def run_again(dag: Any, run: Any, *task_ids: str) -> dict[str, str]:
    """Clear tasks as the button does, and run them in their order; returns their states."""
    from airflow.models.taskinstance import TaskInstance, clear_task_instances
    from airflow.sdk.definitions.dag import _run_task
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = select(TaskInstance).where(
            TaskInstance.run_id == run.run_id, TaskInstance.task_id.in_(task_ids)
        )
        clear_task_instances(list(session.scalars(found)), session)
    with create_session() as session:
        tasks = {one.task_id: one for one in session.scalars(found)}
        for task_id in task_ids:
            tasks[task_id].try_number += 1
            session.commit()
            _run_task(ti=tasks[task_id], task=dag.get_task(task_id))
        return {task_id: str(getattr(tasks[task_id].state, "value", "")) for task_id in task_ids}


def test_a_creation_cleared_alone_in_a_finished_run_fails_and_creates_nothing(
    hook: AzureMLHook, finished_run: Any
) -> None:
    assert run_again(*finished_run, "create") == {"create": "failed"}
    assert hook.endpoints.get("cleared-endpoint") is None


def test_a_creation_cleared_with_its_teardown_runs_and_leaves_nothing(
    hook: AzureMLHook, finished_run: Any
) -> None:
    assert run_again(*finished_run, "create", "delete") == {"create": "success", "delete": "success"}
    assert hook.endpoints.get("cleared-endpoint") is None
