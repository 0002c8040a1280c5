"""What the runs of the whole Dag share: a parsed Dag, a connection to the local Azure ML, the outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.azureml_service import ROOT
from tests.support.dag_run import Outcome

DAG_ID = "finetune_chat_completion"


@pytest.fixture(scope="session")
def dag(airflow_db: None, connection: dict[str, Any]) -> Any:
    """The Dag as Airflow parses it, with the connection that `make run` makes."""
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(dag_folder=str(ROOT / "dags"), bundle_path=ROOT / "dags", bundle_name="dags-folder")
    assert bag.import_errors == {}
    dag = bag.dags[DAG_ID]
    # dag.test() of Airflow 3.3.2 looks for a deadline's row by what is no id; the chaos runs have the deadline.
    dag.deadline = None
    _write_down(dag)
    return dag


def _write_down(dag: Any) -> None:
    """Put the Dag into the metadata database, as the dag-processor does."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)  # type: ignore[no-untyped-call]
    with create_session() as session:
        update_dag_parsing_results_in_db(
            "dags-folder", None, [LazyDeserializedDAG.from_dag(dag)], {}, None, set(), session=session
        )


@pytest.fixture(scope="session")
def run_dag(dag: Any) -> Callable[..., Outcome]:
    """Run the Dag in this process, every task for real, and tell how it ended."""

    def run(**conf: Any) -> Outcome:
        done = dag.test(run_conf=conf)
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            rows = session.scalars(
                select(XComModel).where(XComModel.run_id == done.run_id, XComModel.key == "return_value")
            ).all()
            xcoms = {row.task_id: XComModel.deserialize_value(row) for row in rows}
        tasks = {instance.task_id: str(instance.state) for instance in done.get_task_instances()}
        return Outcome(str(done.state.value), tasks, xcoms, done.run_id)

    return run
