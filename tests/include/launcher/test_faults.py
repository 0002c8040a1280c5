"""The table of faults covers the Dag, and the local Azure ML understands each of them."""

from __future__ import annotations

from azureml_local.engine.faults import Fault
from include.launcher import faults
from include.launcher.follow import DAG_ID
from tests.support.azureml_service import ROOT


def test_there_is_a_plan_for_each_task_of_the_dag_and_for_nothing_else() -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=str(ROOT / "dags" / f"{DAG_ID}.py"))
    assert bag.import_errors == {}
    assert set(faults.load()) == set(bag.dags[DAG_ID].task_ids)


def test_every_fault_is_one_that_the_local_azure_ml_knows() -> None:
    for plan in faults.load().values():
        assert all(Fault(**fault) for fault in plan.faults)
        assert plan.story
        assert plan.faults or plan.conf, f"nothing makes {plan.task_id} fail"
