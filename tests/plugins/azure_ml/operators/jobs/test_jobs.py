"""Submitting jobs, waiting for them with their logs, and every way in which they can end."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.operators import (
    AzureMLJobMetricsOperator,
    AzureMLSubmitPipelineJobOperator,
    AzureMLWaitForJobOperator,
)
from azure_ml.triggers.event import Event
from include.finetune import review
from tests.support.azureml_service import AzureMLLocal

pytestmark = pytest.mark.shares("trained_job")

Request = Callable[..., PipelineRequest]
FINETUNE = "chat_completion_finetune"


def submit(request: PipelineRequest, context: Any) -> dict[str, str]:
    operator = AzureMLSubmitPipelineJobOperator(
        task_id="submit",
        job_name=request.name,
        component_name=request.component,
        component_version=request.component_version,
        inputs={key: value for key, value in request.inputs.items() if key != "max_steps"},
        parameters={"max_steps": 2},
        outputs=request.outputs,
        experiment_name=request.experiment_name,
        display_name=request.display_name,
    )
    return operator.execute(context)


def wait(name: str, context: Any, **arguments: Any) -> dict[str, str]:
    return AzureMLWaitForJobOperator(task_id="wait", job_name=name, **arguments).execute(context)


def job_name() -> str:
    return f"job-{uuid.uuid4().hex[:10]}"


def test_a_trained_job_has_shown_its_own_log_and_that_of_every_step(
    trained_job: tuple[str, list[str]],
) -> None:
    lines = trained_job[1]
    assert any("Streaming logs/azureml/executionlogs.txt" in line for line in lines)
    for step in (
        "ft_nlp_common_validation",
        "chat_completion_model_import",
        "chat_completion_datapreprocess",
        FINETUNE,
        "ft_nlp_model_converter",
    ):
        assert any(line.startswith(f"[{step}] ") for line in lines), step


def test_every_line_of_a_step_is_shown_once(hook: AzureMLHook, trained_job: tuple[str, list[str]]) -> None:
    streamed = [line for line in trained_job[1] if line.startswith(f"[{FINETUNE}] ")]
    again: list[str] = []
    AzureMLHook().logs.pump(trained_job[0], again.append)
    assert streamed == [line for line in again if line.startswith(f"[{FINETUNE}] ")]
    assert any("loss" in line for line in streamed)


def test_no_signed_address_is_in_the_log(trained_job: tuple[str, list[str]]) -> None:
    assert not [line for line in trained_job[1] if "sig=" in line]


def test_the_steps_are_children_of_the_pipeline_node(
    hook: AzureMLHook, trained_job: tuple[str, list[str]]
) -> None:
    steps = hook.history.steps(trained_job[0])
    assert [step.depth for step in steps] == [1, 2, 2, 2, 2, 2]
    assert {step.status for step in steps} == {"Completed"}


def test_waiting_for_a_completed_job_returns_at_once(
    trained_job: tuple[str, list[str]], context: Any
) -> None:
    there = context()
    assert wait(trained_job[0], there) == {"job_name": trained_job[0], "status": "Completed"}
    assert f"/runs/{trained_job[0]}?wsid=" in there["ti"].pushed["studio_url"]


def test_the_metrics_are_those_of_the_step_that_trained(
    trained_job: tuple[str, list[str]], context: Any
) -> None:
    found = AzureMLJobMetricsOperator(
        task_id="metrics", job_name=trained_job[0], experiment_name="tests", review=review.review
    ).execute(context())
    assert found["eval_loss"] > 0
    assert found["base_eval_loss"] > 0
    assert FINETUNE in found["runs"]


def test_the_history_of_a_metric_can_be_read(hook: AzureMLHook, trained_job: tuple[str, list[str]]) -> None:
    run = next(step.run_id for step in hook.history.steps(trained_job[0]) if step.name == FINETUNE)
    assert hook.metrics.history(run, "eval_loss")


def test_an_experiment_that_is_not_there_is_named(hook: AzureMLHook) -> None:
    with pytest.raises(errors.NotFound, match="the metrics of the job 'x'"):
        hook.metrics.of_job("x", "never-used")


def test_a_failed_job_names_the_step_and_shows_its_last_lines(
    azureml_local: AzureMLLocal, training_request: Request, context: Any
) -> None:
    fault = {"kind": "job_failed", "step": "ft_nlp_common_validation", "message": "the disk is full"}
    with azureml_local.faults(fault):
        name = submit(training_request(job_name()), context())["job_name"]
        with pytest.raises(errors.JobFailed, match="its step 'ft_nlp_common_validation' failed") as caught:
            wait(name, context())
    assert "the disk is full" in str(caught.value)


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("Canceled", errors.JobCanceled),
        ("NotResponding", errors.JobNotResponding),
        ("Paused", errors.JobPaused),
        ("Dreaming", errors.UnknownState),
    ],
)
def test_a_job_that_ends_in_another_state_is_no_success(
    azureml_local: AzureMLLocal,
    training_request: Request,
    context: Any,
    state: str,
    error: type[errors.AzureMLError],
) -> None:
    with azureml_local.faults({"kind": "job_status", "job_state": state}):
        name = submit(training_request(job_name()), context())["job_name"]
        with pytest.raises(error, match=f"'{state}'"):
            wait(name, context())
    # A state that the contract does not know is not for other tests of this service to list.
    azureml_local.ml_client().jobs.archive(name)


def test_canceling_what_is_not_there_or_has_ended_does_nothing(
    hook: AzureMLHook, trained_job: tuple[str, list[str]]
) -> None:
    assert not hook.jobs.cancel("never-submitted", {})
    assert not hook.jobs.cancel(trained_job[0], {})


def test_an_error_of_the_trigger_fails_the_wait(connection: Any, context: Any) -> None:
    operator = AzureMLWaitForJobOperator(task_id="wait", job_name="x")
    with pytest.raises(errors.ServiceFailure, match="the looks failed"):
        operator.execute_complete(context(), Event("error", "x", error="the looks failed").to_json())


def test_a_flag_that_is_neither_true_nor_false_is_refused(connection: Any, context: Any) -> None:
    with pytest.raises(errors.BadInput, match="'perhaps' is neither true nor false"):
        wait("x", context(), deferrable="perhaps")
