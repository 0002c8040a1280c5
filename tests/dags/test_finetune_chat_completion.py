"""The Dag as it is parsed: its tasks, its order, its form, and what parsing costs."""

from __future__ import annotations

import copy
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import RetryAction, XComArg
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from azure_ml import errors
from include.finetune import names
from tests.support.azureml_service import ROOT

DAG_ID = "finetune_chat_completion"
CHECKS = {"validate_compute", "check_data", "resolve_parameters", "check_endpoint"}
TEARDOWNS = {"cancel_job", "delete_endpoint"}
CHAIN = [
    "submit_job",
    "wait_for_job",
    "review_metrics",
    "register_model",
    "create_endpoint",
    "deploy",
    "smoke_test",
]


@pytest.fixture(scope="module")
def dag() -> Any:
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    return bag.dags[DAG_ID]


def above(dag: Any, task_id: str) -> set[str]:
    return {task.task_id for task in dag.get_task(task_id).get_flat_relatives(upstream=True)}


def test_the_groups_are_the_parts_of_the_mission_and_their_tasks_have_plain_ids(dag: Any) -> None:
    groups = {name: set(group.children) for name, group in dag.task_group.children.items()}
    assert groups == {
        "check": CHECKS | {"connect", "choose_model"},
        "train": {
            "prepare_compute",
            "prepare_data",
            "submit_job",
            "wait_for_job",
            "review_metrics",
            "register_model",
        },
        "serve": {"create_endpoint", "deploy", "smoke_test"},
        "clean_up": TEARDOWNS | {"verdict"},
    }


def test_every_result_that_a_task_reads_is_an_edge_of_the_graph(dag: Any) -> None:
    read = {
        (task.task_id, source.task_id, key)
        for task in dag.tasks
        for field in task.template_fields
        for source, key in XComArg.iter_xcom_references(getattr(task, field))
    }
    assert ("submit_job", "resolve_parameters", "parameters") in read
    assert ("submit_job", "prepare_compute", "gpus") in read
    for reader, source, key in read:
        assert source in dag.get_task(reader).upstream_task_ids, key


def test_no_template_reads_a_result_without_an_edge() -> None:
    assert "xcom" not in (ROOT / "dags" / f"{DAG_ID}.py").read_text()


def test_nothing_is_created_before_every_check_has_passed(dag: Any) -> None:
    for task_id in ("prepare_compute", "prepare_data", "submit_job", "create_endpoint"):
        assert above(dag, task_id) >= CHECKS | {"connect", "choose_model"}


def test_the_checks_run_side_by_side_and_so_do_data_and_compute(dag: Any) -> None:
    for task_id in CHECKS:
        assert dag.get_task(task_id).upstream_task_ids == {"choose_model"}
    assert "prepare_data" not in above(dag, "prepare_compute")
    assert "prepare_compute" not in above(dag, "prepare_data")


def test_the_steps_follow_one_another(dag: Any) -> None:
    for before, after in itertools.pairwise(CHAIN):
        assert before in dag.get_task(after).upstream_task_ids


@pytest.mark.parametrize("task_id", sorted(TEARDOWNS))
def test_a_teardown_has_no_setup_and_follows_every_task(dag: Any, task_id: str) -> None:
    teardown = dag.get_task(task_id)
    assert teardown.is_teardown
    assert not any(task.is_setup for task in dag.tasks)
    assert teardown.upstream_task_ids == {task.task_id for task in dag.tasks} - TEARDOWNS - {"verdict"}


def test_a_second_check_follows_every_task_that_creates_what_costs(dag: Any) -> None:
    assert set(dag.get_task("cancel_job").created_by) == {"submit_job", "wait_for_job"}
    assert set(dag.get_task("delete_endpoint").created_by) == {"create_endpoint", "deploy"}


def test_the_verdict_decides_the_state_of_the_run(dag: Any) -> None:
    verdict = dag.get_task("verdict")
    assert verdict.is_teardown
    assert verdict.on_failure_fail_dagrun
    assert verdict.upstream_task_ids == TEARDOWNS


def test_the_endpoint_of_the_teardown_is_derived_from_the_run_alone(dag: Any) -> None:
    assert "xcom" not in dag.get_task("delete_endpoint").endpoint_name
    assert dag.get_task("delete_endpoint").endpoint_name == dag.get_task("create_endpoint").endpoint_name


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (errors.OperationFailed("the container crashes"), False),
        (errors.OperationTimeout("not within 90 minutes"), False),
        (errors.QuotaExceeded("no cores"), False),
        (errors.Unreachable("no answer"), True),
        (errors.Killed("the worker stops"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_deployment_that_does_not_come_up_is_not_paid_for_again(
    dag: Any, error: Exception, again: bool
) -> None:
    deploy = dag.get_task("deploy")
    assert deploy.retries > 0
    decision = deploy.retry_policy.evaluate(error, 1, 3)
    assert (decision.action is not RetryAction.FAIL) == again


def test_every_task_and_the_dag_clean_up_when_they_fail(dag: Any) -> None:
    assert dag.on_failure_callback
    assert all(task.on_failure_callback for task in dag.tasks)


def test_the_deadline_calls_a_clean_up_that_needs_names_only(dag: Any) -> None:
    (alert,) = dag.deadline
    assert alert.interval == timedelta(hours=30)
    assert alert.callback.path == "azure_ml.lifecycle.callbacks.clean_up_run"
    assert alert.callback.kwargs == {"endpoint_name": "include.finetune.names.endpoint_name"}


def test_the_deadline_comes_from_outside_the_file() -> None:
    code = "print(module.dag.deadline[0].interval.total_seconds())"
    assert parse(code, AZURE_ML_FINETUNE_DEADLINE_HOURS="0.5") == "1800.0"


def test_no_timeout_of_the_task_undercuts_the_budgets_of_the_job(dag: Any) -> None:
    assert dag.get_task("wait_for_job").execution_timeout is None
    assert (dag.params.dump()["queue_hours"], dag.params.dump()["run_hours"]) == (4, 24)


def test_the_job_that_counts_is_the_one_that_was_waited_for(dag: Any) -> None:
    wait = dag.get_task("wait_for_job")
    assert wait.request.operator.task_id == "submit_job"
    for name in ("review_metrics", "register_model"):
        assert dag.get_task(name).job_name.operator is wait


def test_only_one_run_at_a_time_may_hold_the_cluster(dag: Any) -> None:
    assert dag.max_active_runs == 1


def test_the_form_has_a_default_for_every_field(dag: Any) -> None:
    values = dag.params.dump()
    assert values["model_name"] == "Phi-3-mini-4k-instruct"
    assert values["split_pc"] == 5
    assert values["num_train_epochs"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "../x"),
        ("dataset", "/etc"),
        ("dataset", "https://evil/x"),
        ("dataset", "file:///etc/passwd"),
        ("dataset", "json"),
        ("dataset", "a/b@.."),
        ("model_name", "../other"),
        ("model_name", "a/b/c"),
        ("model_version", "1/../2"),
        ("compute_cluster", "gpu; rm"),
        ("compute_vm_size", "Standard/../x"),
        ("instance_type", "https://x"),
        ("experiment_name", "../x"),
    ],
)
def test_the_form_refuses_what_could_be_a_path_a_url_or_a_command(dag: Any, field: str, value: str) -> None:
    with pytest.raises(ParamValidationError, match="does not match"):
        dag.params.get_param(field).resolve(value)


def test_the_dag_can_be_written_down_and_read_back(dag: Any) -> None:
    again = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert set(again.task_ids) == set(dag.task_ids)


def parse(code: str, **environment: str) -> str:
    setup = "import sys; sys.path[:0] = ['dags', 'plugins', '.'];"
    done = subprocess.run(
        [sys.executable, "-c", f"{setup} import {DAG_ID} as module; {code}"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_parsing_imports_no_heavy_module() -> None:
    heavy = ("azure", "datasets", "pandas", "torch", "transformers", "mlflow")
    assert parse(f"print([name for name in {heavy!r} if name in sys.modules])") == "[]"


@pytest.mark.parametrize("schedule", ["", "@weekly"])
def test_the_schedule_comes_from_outside_the_file(schedule: str) -> None:
    assert parse("print(module.dag.schedule)", AZURE_ML_FINETUNE_SCHEDULE=schedule) == (schedule or "None")


def test_templates_of_names_render(dag: Any) -> None:
    task = dag.get_task("submit_job")
    rendered: Callable[..., str] = task.render_template
    context = {
        "names": dag.user_defined_macros["names"],
        "params": {"model_name": "org/m", "experiment_name": None},
        "dag": dag,
        "run_id": "r",
    }
    assert rendered(task.experiment_name, context) == "chat_completion_org-m"


def test_the_names_of_the_job_are_made_of_the_job_as_it_is_submitted_and_of_its_owner(
    dag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w", "project": "ours"}
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_ML_DEFAULT", json.dumps({"conn_type": "azure_ml", "extra": place}))
    task = copy.copy(dag.get_task("submit_job"))
    task.inputs = {"number_of_gpu_to_use_finetuning": 4}
    task.parameters = {"lr_scheduler_type": "{{ params.scheduler }}"}
    context = {
        **dag.user_defined_macros,
        "params": {"model_name": "org/m", "experiment_name": None, "scheduler": "cosine"},
        "dag": dag,
        "run_id": "r",
        "ti": SimpleNamespace(task_id="submit_job", map_index=-1),
        "task": task,
    }
    task.render_template_fields(context)
    assert task.job_name == names.job_name(DAG_ID, "r", "ours")
    assert task.display_name == "org-m-ultrachat-bs4-cosine-nods-nolora-save_limit-1-seqlen-1"
