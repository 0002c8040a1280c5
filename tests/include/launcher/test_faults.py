"""The task ids of the launcher are those of the Dag, and the local Azure ML knows every fault of its table."""

from __future__ import annotations

import pytest

from azureml_local.engine.faults import Fault
from include.launcher import faults, tasks
from include.launcher.tasks import DAG_ID
from tests.support.azureml_service import ROOT


@pytest.fixture(scope="module")
def task_ids() -> set[str]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags" / f"{DAG_ID}.py"))
    assert bag.import_errors == {}
    return set(bag.dags[DAG_ID].task_ids)


def test_there_is_a_plan_for_each_task_of_the_dag_and_for_nothing_else(task_ids: set[str]) -> None:
    assert set(faults.load()) == task_ids


def test_the_tasks_whose_results_are_shown_are_tasks_of_the_dag(task_ids: set[str]) -> None:
    named = {value for name, value in vars(tasks).items() if name.isupper() and name != "DAG_ID"}
    assert named
    assert named <= task_ids


def test_every_fault_is_one_that_the_local_azure_ml_knows() -> None:
    for plan in faults.load().values():
        assert all(Fault(**fault) for fault in plan.faults)
        assert plan.story
        assert plan.faults or plan.conf, f"nothing makes {plan.task_id} fail"
