"""A tuned model behind an endpoint, really asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from azure_ml import errors
from azure_ml.bounds import TEXT
from azure_ml.hook import AzureMLHook
from azure_ml.hook.online import deployments
from azure_ml.hook.online.entities import DeploymentSpec, EndpointSpec
from azure_ml.lifecycle.tags import owner_tags
from azure_ml.operators import AzureMLDeployModelOperator, AzureMLInvokeEndpointOperator
from azure_ml.operators import deployments as operators
from include.finetune import scoring
from tests.support.azureml_service import AzureMLLocal
from tests.support.conversations import ROWS
from tests.support.service_faults import CRASHED

pytestmark = pytest.mark.shares("trained_job")

OWNER = owner_tags("a_dag", "deployments")
NAME = "tests-deployments"


@pytest.fixture(scope="module")
def endpoint(hook: AzureMLHook) -> Iterator[str]:
    hook.endpoints.create(EndpointSpec(NAME, OWNER), 60)
    yield NAME
    hook.endpoints.delete(NAME, OWNER, 60)


@pytest.fixture(scope="module")
def model_id(hook: AzureMLHook, trained_job: tuple[str, list[str]]) -> str:
    return hook.models.register_output(trained_job[0], "trained_model", "tests-deployed").id


@pytest.fixture(scope="module")
def questions(hook: AzureMLHook) -> str:
    lines = "".join(json.dumps({"messages": row["messages"][:1]}) + "\n" for row in ROWS)
    hook.files.write("tests/questions/test_gen.jsonl", lines.encode())
    return hook.files.uri("tests/questions/test_gen.jsonl")


def deploy(endpoint: str, model_id: str, name: str = "demo", **arguments: Any) -> AzureMLDeployModelOperator:
    return AzureMLDeployModelOperator(
        task_id="deploy",
        endpoint_name=endpoint,
        deployment_name=name,
        model_id=model_id,
        instance_type="Standard_NC6s_v3",
        **arguments,
    )


@pytest.fixture(scope="module")
def deployment(endpoint: str, model_id: str, hook: AzureMLHook) -> str:
    from tests.support.airflow_task import TaskInstance

    ti: Any = TaskInstance("deployments", {})
    found = deploy(endpoint, model_id).execute({"ti": ti, "run_id": "deployments", "dag": ti})
    return str(found["deployment_name"])


def ask(endpoint: str, uri: str, context: Any) -> dict[str, Any]:
    return AzureMLInvokeEndpointOperator(
        task_id="ask",
        endpoint_name=endpoint,
        deployment_name="demo",
        data_uri=uri,
        make_request=scoring.request,
        read_answer=scoring.read,
        op_kwargs={"seed": "3"},
    ).execute(context)


def test_all_traffic_goes_to_the_deployment(
    azureml_local: AzureMLLocal, endpoint: str, deployment: str
) -> None:
    assert azureml_local.ml_client().online_endpoints.get(endpoint).traffic == {"demo": 100}


def test_the_deployment_is_patient_with_a_large_model(
    azureml_local: AzureMLLocal, endpoint: str, deployment: str
) -> None:
    found = azureml_local.ml_client().online_deployments.get("demo", endpoint)
    assert found.liveness_probe.initial_delay == 600
    assert found.request_settings.request_timeout_ms == 90_000


def test_the_tuned_model_answers_a_question_from_the_workspaces_data(
    endpoint: str, deployment: str, questions: str, context: Callable[..., Any]
) -> None:
    found = ask(endpoint, questions, context())
    assert found["prompt"].startswith("What is ")
    assert found["answer"].strip()
    assert found["answer"] in str(scoring.text_of(json.loads(found["raw"])))
    assert found["seconds"] > 0


def test_no_secret_in_an_answer_becomes_an_xcom(
    endpoint: str, deployment: str, questions: str, context: Callable[..., Any]
) -> None:
    operator = AzureMLInvokeEndpointOperator(
        task_id="ask",
        endpoint_name=endpoint,
        data_uri=questions,
        make_request=scoring.request,
        read_answer=lambda *_: {"answer": "take AccountKey=tellnobody", "accountKey": "tellnobody"},
    )
    assert "tellnobody" not in str(operator.execute(context()))


@pytest.mark.parametrize("text", ["", "null", "[]"])
def test_an_empty_answer_fails_the_test(
    hook: AzureMLHook, endpoint: str, deployment: str, questions: str, context: Callable[..., Any], text: str
) -> None:
    operator = AzureMLInvokeEndpointOperator(
        task_id="ask",
        endpoint_name=endpoint,
        data_uri=questions,
        make_request=scoring.request,
        read_answer=lambda body, _: scoring.read(body, text),
    )
    with pytest.raises(errors.MalformedAnswer, match="gives no usable answer"):
        operator.execute(context())


def test_a_deployment_that_answers_with_an_error_fails_the_test(
    azureml_local: AzureMLLocal, endpoint: str, deployment: str, questions: str, context: Callable[..., Any]
) -> None:
    fault = {
        "kind": "status",
        "method": "POST",
        "path": "/inference/*",
        "status": 424,
        "message": "it crashed",
    }
    with azureml_local.faults(fault), pytest.raises(errors.AzureMLError, match="Cannot ask the endpoint"):
        ask(endpoint, questions, context())


def test_a_deployment_that_does_not_come_up_says_why(
    azureml_local: AzureMLLocal, endpoint: str, model_id: str, context: Callable[..., Any]
) -> None:
    with (
        azureml_local.faults(CRASHED),
        pytest.raises(errors.OperationFailed, match="User container has crashed") as caught,
    ):
        deploy(endpoint, model_id, "broken").execute(context("deployments"))
    assert "The container's last lines" in str(caught.value)


def test_of_a_long_log_of_a_deployment_the_end_is_shown_and_where_all_of_it_is(
    azureml_local: AzureMLLocal,
    hook: AzureMLHook,
    endpoint: str,
    model_id: str,
    context: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(operators, "SHOWN_LINES", 2)
    monkeypatch.setattr(deployments, "LOG_CHARACTERS", 30)
    there = context("deployments")
    with azureml_local.faults(CRASHED), pytest.raises(errors.OperationFailed):
        deploy(endpoint, model_id, "talkative").execute(there)
    uri = there["ti"].pushed["deployment_log_uri"]
    shown = capsys.readouterr().out
    assert f"lines before these are left out; all are at {uri}" in shown
    assert shown.count("[talkative] ") == 2
    assert "characters before these are left out: Studio has them" in "\n".join(hook.data.read_lines(uri))


def test_an_answer_of_any_length_is_a_result_of_bounded_length(
    endpoint: str, deployment: str, questions: str, context: Callable[..., Any]
) -> None:
    operator = AzureMLInvokeEndpointOperator(
        task_id="ask",
        endpoint_name=endpoint,
        data_uri=questions,
        make_request=scoring.request,
        read_answer=lambda body, _: scoring.read(body, json.dumps(["x" * 10_000_000])),
    )
    assert len(operator.execute(context())["answer"]) < TEXT + 60


def test_a_deployment_that_was_begun_though_its_answer_was_lost_is_waited_for(
    azureml_local: AzureMLLocal, hook: AzureMLHook, endpoint: str, model_id: str
) -> None:
    lost = {"kind": "lost_response", "method": "PUT", "path": "*/deployments/lost", "count": 1}
    request = DeploymentSpec(endpoint, "lost", model_id, "Standard_NC6s_v3", owner=OWNER)
    with azureml_local.faults(lost):
        hook.deployments.create(request, 120)
    found = hook.deployments.get(endpoint, "lost")
    assert found is not None
    assert found.state == "Succeeded"


def test_an_instance_type_outside_the_allow_list_is_refused_before_the_service_is_asked(
    endpoint: str, context: Callable[..., Any]
) -> None:
    operator = deploy(endpoint, "no-model", "never", allowed_instance_types="Standard_ND40rs_v2")
    with pytest.raises(errors.BadInput, match="'Standard_NC6s_v3' is not allowed for deployment"):
        operator.execute(context())
