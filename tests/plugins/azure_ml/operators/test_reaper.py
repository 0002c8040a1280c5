"""The reaper against the service: what it deletes, what it leaves, and what it reports."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.hook import AzureMLHook
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.hook.online.entities import EndpointSpec
from azure_ml.lifecycle.tags import EXPIRY_TAG, owner_tags, spelled
from azure_ml.operators import AzureMLReapOperator
from tests.support.azureml_service import AzureMLLocal

DAG_ID = "reaped"


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, connection: dict[str, Any]) -> str:
    """A project of its own, so that what other tests have made is none of this reaper's."""
    name = f"p{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv(
        "AIRFLOW_CONN_AZURE_ML_DEFAULT",
        json.dumps({"conn_type": "azure_ml", "extra": {**connection, "project": name}}),
    )
    return name


@pytest.fixture
def endpoint(hook: AzureMLHook, project: str) -> Iterator[Callable[..., str]]:
    """Makes an endpoint of a run, with a lease of so many hours."""
    made: list[tuple[str, dict[str, str]]] = []

    def make(run: str, hours: float = 6, **tags: str) -> str:
        name = f"r{uuid.uuid4().hex[:12]}"
        owner = {**owner_tags(DAG_ID, run, project), **tags}
        expiry = {EXPIRY_TAG: spelled(datetime.now(UTC) + timedelta(hours=hours))}
        hook.endpoints.create(EndpointSpec(name, owner, expiry), 60)
        made.append((name, owner))
        return name

    yield make
    for name, owner in made:
        hook.endpoints.delete(name, owner, 60)


def reap(there: Any, runs: dict[str, str], **arguments: Any) -> dict[str, Any]:
    there["ti"].runs = runs
    arguments.setdefault("sleep", lambda _: None)
    return AzureMLReapOperator(task_id="reap", timeout_seconds=60, **arguments).execute(there)


def names(rows: list[dict[str, Any]]) -> set[str]:
    return {one["name"] for one in rows}


@pytest.mark.parametrize("hours", [6, -6])
@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_belongs_to_a_living_run_is_left_however_long_past_its_lease(
    hook: AzureMLHook, endpoint: Callable[..., str], context: Callable[..., Any], hours: float, state: str
) -> None:
    name = endpoint("alive", hours)
    report = reap(context(), {"alive": state})
    assert [one["why"] for one in report["left"]] == ["its run is alive"]
    assert hook.endpoints.get(name) is not None


@pytest.mark.parametrize("state", ["success", "failed"])
def test_what_belongs_to_a_run_that_has_ended_is_deleted_and_looked_for(
    hook: AzureMLHook, endpoint: Callable[..., str], context: Callable[..., Any], state: str
) -> None:
    name = endpoint("ended")
    report = reap(context(), {"ended": state})
    assert names(report["deleted"]) == names(report["found"]) == {name}
    assert hook.endpoints.get(name) is None


def test_what_belongs_to_an_unknown_run_is_deleted_only_past_its_lease(
    hook: AzureMLHook, endpoint: Callable[..., str], context: Callable[..., Any]
) -> None:
    old, young = endpoint("forgotten", hours=-1), endpoint("forgotten", hours=1)
    report = reap(context(), {})
    assert (names(report["deleted"]), names(report["left"])) == ({old}, {young})
    assert report["left"][0]["why"].startswith("its run is unknown to Airflow, but its lease ends")


def test_what_lacks_our_tags_is_not_even_found(
    hook: AzureMLHook, endpoint: Callable[..., str], context: Callable[..., Any], project: str
) -> None:
    name = endpoint("ended", -6, airflow_project="another")
    report = reap(context(), {"ended": "failed"})
    assert name not in names(report["found"])
    assert hook.endpoints.get(name) is not None


def test_a_dry_run_reports_what_it_would_delete_and_deletes_nothing(
    hook: AzureMLHook, endpoint: Callable[..., str], context: Callable[..., Any]
) -> None:
    name = endpoint("ended")
    report = reap(context(), {"ended": "failed"}, report_only="True")
    assert report["dry_run"]
    assert names(report["deleted"]) == {name}
    assert hook.endpoints.get(name) is not None


def test_one_that_cannot_be_deleted_keeps_no_other_from_it_and_fails_the_task(
    azureml_local: AzureMLLocal,
    hook: AzureMLHook,
    endpoint: Callable[..., str],
    context: Callable[..., Any],
) -> None:
    locked, free = endpoint("ended"), endpoint("ended")
    lock = {
        "kind": "status",
        "method": "DELETE",
        "path": f"*/onlineEndpoints/{locked}",
        "status": 409,
        "code": "ScopeLocked",
        "message": "a lock is on it",
        "count": None,
    }
    there = context()
    with azureml_local.faults(lock), pytest.raises(errors.OperationFailed, match="a lock is on it"):
        reap(there, {"ended": "failed"})
    report = there["ti"].pushed["return_value"]
    assert names(report["could_not"]) == {locked}
    assert names(report["deleted"]) == {free}
    assert hook.endpoints.get(free) is None


def test_what_airflow_does_not_tell_is_left_and_fails_the_task(
    hook: AzureMLHook,
    endpoint: Callable[..., str],
    context: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, there = endpoint("silent", -6), context()

    def silent(**_: Any) -> int:
        raise ConnectionError("the API server is away")

    monkeypatch.setattr(there["ti"], "get_dr_count", silent)
    with pytest.raises(errors.OperationFailed, match="Airflow did not say whether its run is alive"):
        reap(there, {})
    assert hook.endpoints.get(name) is not None


def test_a_run_that_comes_back_to_life_between_two_looks_keeps_what_it_has(
    hook: AzureMLHook,
    endpoint: Callable[..., str],
    context: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, there = endpoint("cleared"), context()
    answers = iter([0, 1, 1])
    monkeypatch.setattr(there["ti"], "get_dr_count", lambda **_: next(answers))
    with pytest.raises(errors.OperationFailed, match="come back to life"):
        reap(there, {})
    assert hook.endpoints.get(name) is not None


def test_the_minutes_saved_are_those_to_the_end_of_the_lease(
    endpoint: Callable[..., str],
    context: Callable[..., Any],
    azureml_local: AzureMLLocal,
    hook: AzureMLHook,
    training_request: Callable[..., PipelineRequest],
    project: str,
) -> None:
    endpoint("ended", hours=2)  # It has no machine yet.
    owner = owner_tags(DAG_ID, "ended", project)
    tags = {EXPIRY_TAG: spelled(datetime.now(UTC) + timedelta(hours=1))}
    request = replace(training_request(f"reaped-{uuid.uuid4().hex[:8]}"), owner=owner, tags=tags)
    with azureml_local.time("manual", "jobs"):
        hook.jobs.submit(request)
        report = reap(
            context(),
            {"ended": "failed"},
            sleep=lambda _: azureml_local.post("/_local/time", {"policy": "immediate"}),
        )
    assert request.name in names(report["deleted"])
    assert 58 < report["compute_minutes_saved"] <= 60
    assert {job.status for job in hook.jobs.owned(owner_tags(DAG_ID, "ended", project))} <= {"Canceled"}
