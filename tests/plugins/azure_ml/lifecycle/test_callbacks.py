"""The clean-up at once: after a failure, and at the deadline."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.hook.online.entities import EndpointSpec
from azure_ml.lifecycle import callbacks
from azure_ml.lifecycle.tags import owner_tags
from tests.support.azureml_service import AzureMLLocal
from tests.support.waiting import wait_for

MakeContext = Callable[..., Any]


Request = Callable[..., PipelineRequest]


def submitted(hook: AzureMLHook, request: Request, run: str) -> str:
    job = replace(request(f"out-{uuid.uuid4().hex[:10]}"), owner=owner_tags("a_dag", run))
    hook.jobs.submit(job)
    return job.name


def test_a_failure_cancels_the_jobs_and_deletes_the_endpoints_of_the_run_by_their_tags(
    azureml_local: AzureMLLocal,
    hook: AzureMLHook,
    context: MakeContext,
    training_request: Request,
    unique: str,
) -> None:
    there = context()
    owner = owner_tags("a_dag", there["run_id"])
    hook.endpoints.create(EndpointSpec(unique, owner), 60)
    with azureml_local.time("manual", "jobs"):
        submitted(hook, training_request, there["run_id"])
        callbacks.clean_up()(there)
        azureml_local.post("/_local/time", {"policy": "immediate"})
    # Nothing but the callback has asked for either.
    assert hook.endpoints.get(unique) is None
    assert wait_for(lambda: {job.status for job in hook.jobs.owned(owner)} == {"Canceled"}, 60)


def test_a_task_that_was_cleared_while_it_ran_leaves_its_endpoint_to_the_next_try(
    hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there: Any = context(a_task="restarting")
    hook.endpoints.create(EndpointSpec(unique, owner_tags("a_dag", there["run_id"])), 60)
    there["exception"] = errors.Killed("killed")
    callbacks.clean_up()(there)
    assert hook.endpoints.get(unique) is not None
    there["ti"].states["a_task"] = "failed"
    callbacks.clean_up()(there)
    assert hook.endpoints.get(unique) is None


def deadline(there: Any, **arguments: Any) -> str:
    context = {"dag_run": {"dag_id": "a_dag", "dag_run_id": there["run_id"]}, "deadline": {}}
    return asyncio.run(callbacks.clean_up_run(context=context, **arguments))


@pytest.mark.parametrize("path", ["", "include.finetune.names.endpoint_name", "not.importable.here"])
def test_a_deadline_deletes_the_runs_endpoint_and_says_so(
    hook: AzureMLHook, context: MakeContext, unique: str, path: str
) -> None:
    there = context()
    hook.endpoints.create(EndpointSpec(unique, owner_tags("a_dag", there["run_id"])), 60)
    told = deadline(there, endpoint_name=path)
    assert f"'{unique}': 'deleted'" in told
    assert hook.endpoints.get(unique) is None


def test_a_deadline_that_names_no_run_touches_nothing(connection: Any) -> None:
    with pytest.raises(errors.BadInput, match="names no Dag run"):
        asyncio.run(callbacks.clean_up_run(context={"dag_run": {}}))


def test_a_deadline_that_cannot_reach_azure_says_so(
    azureml_local: AzureMLLocal, connection: Any, context: MakeContext
) -> None:
    refusal = {"kind": "status", "path": "*/subscriptions/*", "status": 403, "code": "No", "count": None}
    with azureml_local.faults(refusal):
        told = deadline(context())
    assert "could not cancel the jobs" in told
