"""What the decision between retry and clear rests on, asked of the installed Airflow."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.azureml_service import ROOT


@pytest.fixture(scope="module")
def finished_run(airflow_db: None) -> Any:
    """A run of two tasks, each of which tells what it sees."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.sdk import DAG, task
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    with DAG("clears", schedule=None, default_args={"retries": 2}) as dag:

        @task
        def sees(ti: Any = None, dag_run: Any = None) -> list[int]:
            return [ti.max_tries, dag_run.clear_number]

        sees.override(task_id="first")() >> sees.override(task_id="second")()
    dag.fileloc = str(ROOT / "dags" / "clears.py")
    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)  # type: ignore[no-untyped-call]
    with create_session() as session:
        update_dag_parsing_results_in_db(
            "dags-folder", None, [LazyDeserializedDAG.from_dag(dag)], {}, None, set(), session=session
        )
    return dag.test()


def test_a_worker_sees_the_tries_and_the_clears_of_its_run(finished_run: Any) -> None:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        rows = session.scalars(select(XComModel).where(XComModel.run_id == finished_run.run_id)).all()
        assert [XComModel.deserialize_value(row) for row in rows] == [[2, 0], [2, 0]]


@pytest.mark.parametrize(
    ("state", "tries", "after"), [("success", 3, None), ("failed", 3, None), ("running", 2, "restarting")]
)
def test_a_clear_raises_the_tries_of_its_task_unless_it_runs_and_the_number_of_the_run_always(
    finished_run: Any, state: str, tries: int, after: str | None
) -> None:
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance, clear_task_instances
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        found = select(TaskInstance).where(TaskInstance.run_id == finished_run.run_id)
        tasks = {one.task_id: one for one in session.scalars(found)}
        run = session.scalars(select(DagRun).where(DagRun.run_id == finished_run.run_id)).one()
        before, other = run.clear_number, tasks["second"].max_tries
        tasks["first"].state, tasks["first"].max_tries, tasks["first"].try_number = state, 2, 1
        clear_task_instances([tasks["first"]], session)
        assert (tasks["first"].max_tries, tasks["first"].state) == (tries, after)
        assert (run.clear_number, tasks["second"].max_tries) == (before + 1, other)
        session.rollback()
