"""Two Airflows with the same Dag and the same run ids on one workspace: neither touches what the other has made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook.compute import ClusterSpec
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.hook.online.entities import EndpointSpec, TrafficSpec
from azure_ml.lifecycle import callbacks
from azure_ml.lifecycle.tags import owner_tags
from azure_ml.operators import (
    AzureMLCancelJobsOperator,
    AzureMLCreateEndpointOperator,
    AzureMLDeleteEndpointOperator,
    AzureMLSubmitPipelineJobOperator,
    AzureMLWaitForJobOperator,
)
from azure_ml.triggers.jobs import JobTrigger
from include.finetune import names
from tests.support.airflow_task import DAG_ID

OTHER = "azure_ml_other"
ENDPOINT = "{{ names.endpoint_name(dag.dag_id, run_id, task.project) }}"

Request = Callable[[str], PipelineRequest]


@pytest.fixture
def other(connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> AzureMLHook:
    """The hook of another Airflow, whose connection differs by its project alone."""
    extra = {**connection, "project": "another-airflow"}
    monkeypatch.setenv("AIRFLOW_CONN_AZURE_ML_OTHER", json.dumps({"conn_type": "azure_ml", "extra": extra}))
    return AzureMLHook(OTHER)


@pytest.fixture
def job(hook: AzureMLHook, queued_request: Request, owner: dict[str, str], unique: str) -> PipelineRequest:
    """The request of a job that is queued, of the first Airflow."""
    request = replace(queued_request(unique), owner=owner)
    assert hook.jobs.submit(request)[1]
    return request


def submitting(request: PipelineRequest, **changed: Any) -> AzureMLSubmitPipelineJobOperator:
    return AzureMLSubmitPipelineJobOperator(
        task_id="submit",
        job_name=request.name,
        component_name=request.component,
        component_version=request.component_version,
        inputs=request.inputs,
        outputs=request.outputs,
        experiment_name=request.experiment_name,
        display_name=request.display_name,
        **changed,
    )


def runs_on(hook: AzureMLHook, name: str) -> bool:
    return hook.jobs.status(name) not in ("Canceled", "CancelRequested")


def test_equal_runs_of_two_projects_train_on_their_own(
    hook: AzureMLHook, other: AzureMLHook, queued_request: Request, context: Any, unique: str
) -> None:
    request = queued_request(unique)
    first = submitting(request).execute(context())
    second = submitting(request, azure_ml_conn_id=OTHER).execute(context())
    assert first["job_name"] != second["job_name"]
    AzureMLCancelJobsOperator(task_id="cancel", azure_ml_conn_id=OTHER).execute(context())
    assert hook.jobs.status(second["job_name"]) == "Canceled"
    assert runs_on(hook, first["job_name"])


def test_names_are_completed_from_the_connection_wherever_they_are_made(
    other: AzureMLHook, context: Any
) -> None:
    there = context()
    made = []
    for connection_id in ("azure_ml_default", OTHER):
        task = AzureMLCreateEndpointOperator(
            task_id="t", endpoint_name=ENDPOINT, azure_ml_conn_id=connection_id
        )
        rendering: Any = {**there, "names": names, "task": task}
        task.render_template_fields(rendering)
        made.append(task.endpoint_name)
    assert made == [
        names.endpoint_name(DAG_ID, there["run_id"], one) for one in ("airflow", "another-airflow")
    ]


def test_a_job_of_another_project_is_neither_taken_over_nor_canceled(
    hook: AzureMLHook, other: AzureMLHook, job: PipelineRequest, context: Any
) -> None:
    stranger = owner_tags(DAG_ID, context()["run_id"], "another-airflow")
    for call in (
        lambda: other.jobs.submit(replace(job, owner=stranger)),
        lambda: other.jobs.cancel(job.name, stranger),
        lambda: other.jobs.end(job.name, stranger, 60),
        lambda: other.jobs.cancel(job.name, {}),
    ):
        with pytest.raises(errors.NameTaken, match=f"a job '{job.name}' of another owner"):
            call()
    assert runs_on(hook, job.name)


@pytest.mark.parametrize("deferrable", [True, False])
def test_a_budget_that_is_over_cancels_no_job_of_another_project(
    hook: AzureMLHook, other: AzureMLHook, job: PipelineRequest, context: Any, deferrable: bool
) -> None:
    waiting = AzureMLWaitForJobOperator(
        task_id="wait", job_name=job.name, azure_ml_conn_id=OTHER, queue_timeout=1e-9, deferrable=deferrable
    )
    with pytest.raises(errors.JobQueuedTooLong):
        waiting.execute(context())
    assert runs_on(hook, job.name)


def test_a_trigger_that_is_killed_cancels_no_job_of_another_project(
    hook: AzureMLHook, other: AzureMLHook, job: PipelineRequest, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger = JobTrigger(job.name, OTHER)

    async def ended() -> str:
        return "failed"

    monkeypatch.setattr(trigger, "task_state", ended)
    trigger.task_instance = context()["ti"]
    asyncio.run(trigger.on_kill())
    assert runs_on(hook, job.name)


def test_an_endpoint_of_another_project_is_neither_taken_over_changed_nor_deleted(
    hook: AzureMLHook, other: AzureMLHook, context: Any, owner: dict[str, str], unique: str
) -> None:
    hook.endpoints.create(EndpointSpec(unique, owner), 60)
    there = context()
    stranger = owner_tags(DAG_ID, there["run_id"], "another-airflow")
    with pytest.raises(errors.NameTaken):
        AzureMLCreateEndpointOperator(task_id="c", endpoint_name=unique, azure_ml_conn_id=OTHER).execute(
            there
        )
    with pytest.raises(errors.NameTaken):
        other.traffic.advance(TrafficSpec(unique, "demo", stranger))
    deleted = AzureMLDeleteEndpointOperator(
        task_id="d", endpoint_name=unique, azure_ml_conn_id=OTHER
    ).execute(there)
    assert deleted == {"endpoint_name": unique, "exists_after": True}
    callbacks.clean_up(endpoint_name=lambda *_: unique, azure_ml_conn_id=OTHER)(there)
    run = {"dag_run": {"dag_id": DAG_ID, "dag_run_id": there["run_id"]}}
    asyncio.run(callbacks.clean_up_run(OTHER, context=run))
    assert hook.endpoints.get(unique) is not None
    assert hook.endpoints.delete(unique, owner, 60) == "deleted"


def test_a_cluster_that_another_project_creates_meanwhile_is_taken_and_not_changed(
    hook: AzureMLHook, other: AzureMLHook, context: Any, owner: dict[str, str], unique: str
) -> None:
    size = "Standard_NC24ads_A100_v4"
    name = f"c{unique[:12]}"
    hook.compute.create(ClusterSpec(name, size, owner=owner), 60)
    stranger = owner_tags(DAG_ID, context()["run_id"], "another-airflow")
    with pytest.raises(errors.Conflict, match="somebody else has created one of that name"):
        other.compute.create(ClusterSpec(name, size, "low_priority", owner=stranger), 60)
    found = hook.compute.get(name)
    assert found is not None
    assert found.tags == owner
