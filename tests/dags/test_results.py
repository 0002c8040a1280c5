"""Every result that a task of the Dag reads of another one: missing or null, it is one sentence."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import XComArg
from airflow.sdk.definitions._internal.types import NOTSET

from azure_ml import errors
from tests.support.azureml_service import ROOT

PLACE = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}
RESULTS: dict[str, Any] = {"parameters": {}, "request": {}, "defaults": {}, "gpus": 1}


def parsed() -> Any:
    return DagBag(dag_folder=str(ROOT / "dags")).dags["finetune_chat_completion"]


def edges() -> list[tuple[str, str, str]]:
    found = {
        (source.task_id, key, task.task_id)
        for task in parsed().tasks
        for field in task.template_fields
        for source, key in XComArg.iter_xcom_references(getattr(task, field))
    }
    return sorted(found)


class Results:
    """As much of a task instance as a template asks for: the results of the other tasks, but for one."""

    map_index = -1

    def __init__(self, task_id: str, source: str, key: str, missing: Any) -> None:
        self.task_id, self.dag_id, self.run_id = task_id, "d", "r"
        self._hidden, self._missing = (source, key), missing

    def get_relevant_upstream_map_indexes(self, **_: Any) -> None:
        """No task of the Dag is mapped."""

    def xcom_pull(self, task_ids: str, key: str, default: Any = None, **_: Any) -> Any:
        """The result of another task, as Airflow answers it."""
        return self._missing if (task_ids, key) == self._hidden else RESULTS.get(key, "x")


def rendered_and_called(task: Any, context: dict[str, Any]) -> None:
    """What Airflow does with a task; an operator of the provider stops at the first of the two."""
    task.render_template_fields(context)
    task.python_callable(*task.op_args)


@pytest.fixture(scope="module")
def dag() -> Any:
    return parsed()


@pytest.mark.parametrize("missing", [None, NOTSET], ids=["null", "missing"])
@pytest.mark.parametrize(("source", "key", "reader"), edges())
def test_a_result_that_is_missing_is_told_with_the_task_that_did_not_return_it(
    dag: Any, source: str, key: str, reader: str, missing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = json.dumps({"conn_type": "azure_ml", "extra": PLACE})
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_ML_DEFAULT", value)
    task = copy.copy(dag.get_task(reader))
    context = {
        **dag.user_defined_macros,
        "params": dag.params.dump(),
        "dag": dag,
        "run_id": "r",
        "ti": Results(reader, source, key, missing),
        "task": task,
    }
    with pytest.raises(errors.BadInput) as caught:
        rendered_and_called(task, context)
    assert str(caught.value).startswith(f"The task {source!r} returned no {key!r}, which {reader!r} needs: ")


def test_the_edges_are_those_of_the_mission() -> None:
    some = {("wait_for_job", "job_name", "review_metrics"), ("submit_job", "request", "wait_for_job")}
    assert some <= set(edges())
    assert len(edges()) >= 15
