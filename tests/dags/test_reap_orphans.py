"""The reaper's Dag as it is parsed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from tests.support.azureml_service import ROOT


@pytest.fixture(scope="module")
def dag() -> Any:
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    return bag.dags["reap_orphans"]


def test_it_is_one_task_and_one_run_at_a_time(dag: Any) -> None:
    assert dag.task_ids == ["reap"]
    assert dag.max_active_runs == 1
    assert not dag.catchup


def test_it_works_without_anybody_switching_it_on(dag: Any) -> None:
    assert dag.is_paused_upon_creation is False


def test_by_default_it_deletes_and_by_hand_it_may_only_look(dag: Any) -> None:
    assert dag.params.dump() == {"dry_run": False, "azure_ml_conn_id": "azure_ml_default"}
    task = dag.get_task("reap")
    assert task.render_template(task.report_only, {"params": {"dry_run": True}}) == "True"


@pytest.mark.parametrize(
    ("variable", "schedule"), [({}, "*/15 * * * *"), ({"AZURE_ML_REAP_SCHEDULE": "@hourly"}, "@hourly")]
)
def test_the_schedule_may_come_from_outside(variable: dict[str, str], schedule: str) -> None:
    code = (
        "import sys; sys.path[:0] = ['dags', 'plugins', '.']; import reap_orphans as m; print(m.dag.schedule)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "AZURE_ML_REAP_SCHEDULE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**environment, **variable},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().splitlines()[-1] == schedule
