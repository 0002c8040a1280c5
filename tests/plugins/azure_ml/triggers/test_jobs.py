"""Waiting in the triggerer."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from airflow.sdk._shared.module_loading import import_string
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from azure_ml.hook import AzureMLHook
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.lifecycle.tags import owner_tags
from azure_ml.triggers.event import Event
from azure_ml.triggers.jobs import JobTrigger
from tests.support.airflow_task import TaskInstance
from tests.support.azureml_service import AzureMLLocal

pytestmark = pytest.mark.shares("trained_job")


def first_event(trigger: JobTrigger) -> dict[str, Any]:
    async def run() -> Any:
        return await asyncio.wait_for(anext(aiter(trigger.run())), 60)

    return dict(asyncio.run(run()).payload)


def test_a_trigger_survives_being_written_down() -> None:
    path, arguments = JobTrigger("j", "c", 7).serialize()
    assert import_string(path)(**json.loads(json.dumps(arguments))).serialize() == (path, arguments)


def test_the_pause_between_looks_is_bounded() -> None:
    assert JobTrigger("j", "c", 1e9).poll_seconds == 300


def test_the_end_of_a_job_is_told_with_its_state(trained_job: tuple[str, list[str]]) -> None:
    event = first_event(JobTrigger(trained_job[0], "azure_ml_default", 1))
    assert event == Event("ended", trained_job[0], state="Completed").to_json()


def test_a_job_that_does_not_exist_is_told_as_an_error(connection: Any) -> None:
    event = first_event(JobTrigger("never-submitted", "azure_ml_default", 1))
    assert "no job 'never-submitted'" in event["error"]


def test_a_service_that_stumbles_is_asked_again(
    azureml_local: AzureMLLocal, trained_job: tuple[str, list[str]]
) -> None:
    fault = {"kind": "status", "path": f"*/jobs/{trained_job[0]}", "status": 409, "code": "Busy", "count": 2}
    with azureml_local.faults(fault):
        event = first_event(JobTrigger(trained_job[0], "azure_ml_default", 0.1))
    assert event["state"] == "Completed"


@pytest.mark.parametrize(("state", "end"), [("failed", "Canceled"), ("deferred", "Failed")])
def test_a_kill_cancels_the_job_unless_the_task_was_only_cleared(
    azureml_local: AzureMLLocal,
    hook: AzureMLHook,
    training_request: Callable[..., PipelineRequest],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    end: str,
) -> None:
    # The state comes from Airflow's API server, which is not running here.
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", lambda **_: {"r": {"wait": state}})
    monkeypatch.setattr("azure_ml.triggers.jobs.CONFIRM_SECONDS", 1.0)
    name = f"kill-{uuid.uuid4().hex[:8]}"
    doomed = {"kind": "job_failed", "step": "ft_nlp_common_validation", "message": "no"}
    with azureml_local.faults(doomed), azureml_local.time("manual", "jobs"):
        hook.jobs.submit(replace(training_request(name), owner=owner_tags("a_dag", "r")))
        trigger = JobTrigger(name, "azure_ml_default")
        ti: Any = TaskInstance("r", {})
        ti.task_id = "wait"
        trigger.task_instance = ti
        asyncio.run(trigger.on_kill())
        azureml_local.post("/_local/time", {"policy": "immediate"})
        assert first_event(JobTrigger(name, "azure_ml_default", 0.5))["state"] == end
