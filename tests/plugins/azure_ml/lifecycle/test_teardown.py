"""Teardowns: what they end, and how they treat a killed creator."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from azure_ml.hook import AzureMLHook
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.hook.online.entities import EndpointSpec
from azure_ml.lifecycle.tags import owner_tags
from azure_ml.lifecycle.teardown import may_still_act
from azure_ml.operators import AzureMLCancelJobsOperator, AzureMLDeleteEndpointOperator
from tests.support.azureml_service import AzureMLLocal

MakeContext = Callable[..., Any]


Request = Callable[..., PipelineRequest]


def submitted(hook: AzureMLHook, request: Request, run: str) -> str:
    job = replace(request(f"out-{uuid.uuid4().hex[:10]}"), owner=owner_tags("a_dag", run))
    hook.jobs.submit(job)
    return job.name


def delete(name: str, context: Any, **arguments: Any) -> dict[str, Any]:
    arguments.setdefault("sleep", lambda _: None)
    return AzureMLDeleteEndpointOperator(task_id="delete", endpoint_name=name, **arguments).execute(context)


@pytest.mark.parametrize(
    ("state", "returned", "doubted"),
    [
        ("success", {"endpoint_name": "e"}, False),
        ("success", None, True),
        ("upstream_failed", None, False),
        ("failed", None, True),
        ("skipped", None, True),
        ("removed", None, True),
        ("up_for_retry", None, True),
        (None, None, True),
    ],
)
def test_a_creator_is_past_doubt_only_if_it_returned_or_never_began(
    context: MakeContext, state: str | None, returned: Any, doubted: bool
) -> None:
    there = context(**({"create": state} if state else {}))
    there["ti"].returned = {"create": returned}
    assert bool(may_still_act(there, ["create"])) is doubted


def test_a_creator_whose_state_cannot_be_read_is_doubted(
    context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = context()

    def silent(**_: Any) -> Any:
        raise ConnectionError("the API server is away")

    monkeypatch.setattr(there["ti"], "get_task_states", silent)
    assert may_still_act(there, ["create", "deploy"]) == ["create", "deploy"]


def test_an_endpoint_made_by_a_killed_task_in_its_last_seconds_is_found_and_deleted(
    hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context(create="failed")
    owner = owner_tags("a_dag", there["run_id"])

    def meanwhile(seconds: float) -> None:
        if seconds == settle:
            hook.endpoints.create(EndpointSpec(unique, owner), 60)

    settle = 1234.5
    done = delete(unique, there, created_by="create", settle_seconds=settle, sleep=meanwhile)
    assert done == {"endpoint_name": unique, "exists_after": False}


def test_a_deletion_that_meets_a_creation_waits_for_it_and_deletes_then(
    azureml_local: AzureMLLocal, hook: AzureMLHook, context: MakeContext, unique: str
) -> None:
    there = context()
    owner = owner_tags("a_dag", there["run_id"])
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        azureml_local.post("/_local/time", {"policy": "immediate"})

    with azureml_local.time("manual", "onlineEndpoints"):
        hook.endpoints.advance(EndpointSpec(unique, owner))
        assert delete(unique, there, sleep=pause)["exists_after"] is False
    assert looks


def test_the_runs_jobs_are_canceled_and_nobody_elses(
    azureml_local: AzureMLLocal, hook: AzureMLHook, context: MakeContext, training_request: Request
) -> None:
    there = context()
    with azureml_local.time("manual", "jobs"):
        mine = submitted(hook, training_request, there["run_id"])
        theirs = submitted(hook, training_request, "another-run")

        def pause(_: float) -> None:
            azureml_local.post("/_local/time", {"policy": "immediate"})

        operator = AzureMLCancelJobsOperator(task_id="cancel", sleep=pause)
        assert operator.execute(there) == {"canceled": [mine]}
        assert operator.execute(there) == {"canceled": []}
        assert hook.jobs.status(mine) == "Canceled"
        assert hook.jobs.status(theirs) != "Canceled"
        assert hook.jobs.end_owned(owner_tags("a_dag", "another-run"), 60) == [theirs]
