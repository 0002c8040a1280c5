"""One job a round: retry, crash and clear find it, end it, or pay for the next one, each as it should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.operators import AzureMLSubmitPipelineJobOperator, AzureMLWaitForJobOperator
from tests.support.azureml_service import AzureMLLocal

Request = Callable[[str], PipelineRequest]
FIRST_STEP = "ft_nlp_common_validation"


def operator(request: PipelineRequest, **changed: Any) -> AzureMLSubmitPipelineJobOperator:
    arguments: dict[str, Any] = {
        "task_id": "submit",
        "job_name": request.name,
        "component_name": request.component,
        "component_version": request.component_version,
        "inputs": request.inputs,
        "outputs": request.outputs,
        "experiment_name": request.experiment_name,
        "display_name": request.display_name,
    }
    return AzureMLSubmitPipelineJobOperator(**arguments | changed)


def submit(request: PipelineRequest, context: Any, **changed: Any) -> dict[str, Any]:
    return operator(request, **changed).execute(context)


def wait(found: dict[str, Any], context: Any, **arguments: Any) -> dict[str, str]:
    waiting = AzureMLWaitForJobOperator(
        task_id="wait", job_name=found["job_name"], request=found["request"], **arguments
    )
    return waiting.execute(context)


def jobs_of(hook: AzureMLHook, context: Any) -> list[str]:
    owner = {"airflow_run_id": context["run_id"]}
    return sorted(job.name for job in hook.jobs.owned(owner))


def failing(code: str, message: str = "no") -> dict[str, Any]:
    return {"kind": "job_failed", "step": FIRST_STEP, "code": code, "message": message}


def test_the_name_has_a_fingerprint_of_what_is_trained_and_not_of_what_it_is_called(
    queued_request: Request, context: Any, unique: str
) -> None:
    request = queued_request(unique)
    first = submit(request, context())["job_name"]
    assert first.startswith(f"{unique}-")
    assert len(first) == len(unique) + 9
    assert submit(request, context(), display_name="another")["job_name"] == first
    assert submit(request, context(), inputs={**request.inputs, "max_steps": 3})["job_name"] != first


def test_a_retry_finds_the_job_that_runs(
    hook: AzureMLHook, queued_request: Request, context: Any, unique: str
) -> None:
    there, request = context(), queued_request(unique)
    first = submit(request, there)
    assert submit(request, there)["job_name"] == first["job_name"]
    assert jobs_of(hook, there) == [first["job_name"]]


def test_a_crash_between_noting_and_sending_sends_once(
    azureml_local: AzureMLLocal, hook: AzureMLHook, queued_request: Request, context: Any, unique: str
) -> None:
    there, request = context(), queued_request(unique)
    refused = {"kind": "status", "method": "PUT", "path": f"*/jobs/{unique}*", "status": 400, "count": 1}
    with azureml_local.faults(refused), pytest.raises(errors.BadInput):
        submit(request, there)
    found = submit(request, there)
    assert jobs_of(hook, there) == [found["job_name"]]


def test_a_response_lost_after_the_service_acted_is_no_second_job(
    azureml_local: AzureMLLocal, hook: AzureMLHook, queued_request: Request, context: Any, unique: str
) -> None:
    there, request = context(), queued_request(unique)
    with azureml_local.faults({"kind": "lost_response", "method": "PUT", "path": f"*/jobs/{unique}*"}):
        found = submit(request, there)
    assert jobs_of(hook, there) == [found["job_name"]]


def test_a_clear_ends_the_old_job_and_submits_anew(
    hook: AzureMLHook, queued_request: Request, context: Any, unique: str
) -> None:
    there, request = context(), queued_request(unique)
    first = submit(request, there)
    there["ti"].max_tries += 1
    second = submit(request, there)
    assert second["job_name"] == f"{first['job_name']}-2"
    assert hook.jobs.status(first["job_name"]) == "Canceled"
    assert submit(request, there) == second


def test_a_clear_of_another_task_makes_no_second_training(
    hook: AzureMLHook, queued_request: Request, context: Any, unique: str
) -> None:
    there, request = context(), queued_request(unique)
    first = submit(request, there)
    there["dag_run"].clear_number += 1
    assert submit(request, there)["job_name"] == first["job_name"]
    assert jobs_of(hook, there) == [first["job_name"]]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("JobPreempted", errors.JobPreempted),
        ("AllocationFailed", errors.JobNoCapacity),
        ("RequestThrottled", errors.JobThrottled),
        ("ServiceError", errors.JobPlatformFailed),
    ],
)
def test_a_retry_of_the_wait_pays_for_a_second_job_after_what_may_pass(
    azureml_local: AzureMLLocal,
    training_request: Request,
    hook: AzureMLHook,
    context: Any,
    unique: str,
    code: str,
    kind: type[errors.AzureMLError],
) -> None:
    submitting, waiting = context(), context()
    with azureml_local.faults(failing(code)):
        found = submit(training_request(unique), submitting)
        with pytest.raises(kind, match=FIRST_STEP):
            wait(found, waiting)
    with azureml_local.faults({"kind": "job_status", "job_state": "Completed"}):
        done = wait(found, waiting)
    assert done == {"job_name": f"{found['job_name']}-2", "status": "Completed"}
    # A restarted worker, or a clear of the wait alone, goes on with the job that counts.
    assert wait(found, waiting) == done
    assert len(jobs_of(hook, submitting)) == 2


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("The data file rows.jsonl does not exist: check the job's input.", errors.JobBadData),
        ("torch.OutOfMemoryError: CUDA out of memory.", errors.JobOutOfMemory),
        ("error: argument --epochs: invalid int value", errors.JobBadParameter),
        ("the disk is full", errors.JobFailedForGood),
    ],
)
def test_what_would_fail_again_is_not_paid_for_twice(
    azureml_local: AzureMLLocal,
    training_request: Request,
    hook: AzureMLHook,
    context: Any,
    unique: str,
    message: str,
    kind: type[errors.AzureMLError],
) -> None:
    submitting, waiting = context(), context()
    with azureml_local.faults(failing("UserError", message)):
        found = submit(training_request(unique), submitting)
        for _ in range(2):
            with pytest.raises(kind, match="cause: ") as caught:
                wait(found, waiting)
    assert isinstance(caught.value, errors.NoRetry)
    assert jobs_of(hook, submitting) == [found["job_name"]]


def test_after_a_clear_of_both_the_wait_leaves_the_old_job(
    azureml_local: AzureMLLocal, training_request: Request, context: Any, unique: str
) -> None:
    submitting, waiting, request = context(), context(), training_request(unique)
    with azureml_local.faults(failing("UserError")):
        found = submit(request, submitting)
        with pytest.raises(errors.JobFailed):
            wait(found, waiting)
    submitting["ti"].max_tries += 1
    with azureml_local.faults({"kind": "job_status", "job_state": "Completed"}):
        again = submit(request, submitting)
        assert wait(again, waiting)["job_name"] == f"{found['job_name']}-2"


def test_all_jobs_of_a_run_are_found_and_canceled_by_their_tags(
    hook: AzureMLHook, queued_request: Request, context: Any, unique: str
) -> None:
    there, other = context(), context("another-run")
    mine = submit(queued_request(unique), there)["job_name"]
    foreign = submit(queued_request(f"{unique}x"), other)["job_name"]
    owner = {"airflow_dag_id": "a_dag", "airflow_run_id": there["run_id"]}
    assert hook.jobs.cancel_owned(owner) == [mine]
    assert hook.jobs.end(mine, owner, 60) == "Canceled"
    assert hook.jobs.cancel_owned(owner) == []
    assert hook.jobs.status(foreign) != "Canceled"


def test_the_jobs_of_nobody_are_not_looked_for(hook: AzureMLHook) -> None:
    with pytest.raises(errors.BadInput, match="give the tags"):
        hook.jobs.owned({})


@pytest.mark.parametrize(("state", "end"), [("failed", True), ("restarting", False), ("running", False)])
def test_a_kill_cancels_the_job_only_if_somebody_ended_the_task(
    hook: AzureMLHook, queued_request: Request, context: Any, unique: str, state: str, end: bool
) -> None:
    there, request = context(submit=state), queued_request(unique)
    killed = operator(request)
    found = killed.execute(there)
    with pytest.raises(errors.Killed):
        killed.on_kill()
    if end:
        assert hook.jobs.end(found["job_name"], found["request"]["owner"], 60) == "Canceled"
    else:
        assert hook.jobs.status(found["job_name"]) not in ("Canceled", "CancelRequested")
