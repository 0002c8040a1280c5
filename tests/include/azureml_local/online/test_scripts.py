"""Deployments of a scoring script and an environment: what they are given, answer, and how they scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.ai.ml.entities import Model, OnlineRequestSettings
from azure.core.exceptions import HttpResponseError

from tests.support import contract
from tests.support.serving_service import Serving
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def endpoint(here: Serving) -> Iterator[str]:
    """An endpoint with one deployment, ``demo``, that has all the traffic."""
    with here.endpoint() as name:
        here.deploy(name, "demo")
        here.traffic(name, demo=100)
        yield name


def test_a_scoring_script_answers_with_its_model_and_the_module_beside_it(
    here: Serving, endpoint: str
) -> None:
    answer = here.score(endpoint, {"question": 1})
    assert answer.status_code == 200
    assert answer.json()["result"] == 42
    assert answer.headers["x-ms-run-function-failed"] == "False"
    assert float(answer.headers["x-ms-run-fn-exec-ms"]) >= 0
    assert "x-ms-server-version" in answer.headers
    assert len(answer.headers.get_list("x-ms-request-id")) == 1
    deployed = here.client.online_deployments.get("demo", endpoint)
    assert deployed.code_configuration.scoring_script == "score.py"
    assert "/codes/" in deployed.code_configuration.code
    assert "/environments/sound/" in deployed.environment


def test_an_error_of_run_is_424_and_its_reason_stands_in_the_log_alone(here: Serving, endpoint: str) -> None:
    failed = here.score(endpoint, {"fail": True})
    assert failed.status_code == 424
    assert failed.headers["x-ms-run-function-failed"] == "True"
    assert failed.headers["ms-azureml-model-error-statuscode"] == "500"
    assert failed.headers["ms-azureml-model-error-reason"] == "model_error"
    assert "no such question" not in failed.text
    assert "ValueError: no such question" in here.log(endpoint, "demo")


def test_both_containers_have_a_log(here: Serving, endpoint: str) -> None:
    server = here.log(endpoint, "demo", "inference-server")
    assert "model read" in server
    initializer = here.log(endpoint, "demo", "storage-initializer")
    assert "Model of 2 bytes mounted" in initializer
    assert "Code of" in initializer
    assert "requires numpy" in initializer
    last = here.client.online_deployments.get_logs("demo", endpoint, lines=1)
    assert len(last.splitlines()) == 1


def test_the_swagger_address_answers_with_the_description_beside_the_script(
    here: Serving, endpoint: str
) -> None:
    address = here.client.online_endpoints.get(endpoint).openapi_uri
    assert here.service.http.get(address).status_code == 401
    told = here.service.http.get(address, headers=here.key(endpoint)).json()
    assert (told["swagger"], told["info"]["title"]) == ("2.0", "the tiny model")
    general = here.service.http.get(address, params={"version": "3"}, headers=here.key(endpoint)).json()
    assert general["openapi"].startswith("3.")
    assert "/score" in general["paths"]


def pids(here: Serving, endpoint: str, asked: int = 12) -> Counter[int]:
    """Answers by the process that gave them."""
    return Counter(here.score(endpoint, {}).json()["pid"] for _ in range(asked))


def test_scaling_gives_that_many_processes_which_answer_in_turn(here: Serving) -> None:
    with here.endpoint() as endpoint:
        here.deploy(endpoint, "demo", instance_count=2)
        here.traffic(endpoint, demo=100)
        two = pids(here, endpoint)
        assert sorted(two.values()) == [6, 6]
        deployment = here.client.online_deployments.get("demo", endpoint)
        deployment.instance_count = 3
        here.client.online_deployments.begin_create_or_update(deployment).result()
        three = pids(here, endpoint)
        assert sorted(three.values()) == [4, 4, 4]
        assert set(two) < set(three), "an instance was restarted by scaling"
        path = f"/onlineEndpoints/{endpoint}/deployments/demo"
        patched = here.service.arm(
            "PATCH", path, version="2023-04-01-preview", json={"sku": {"name": "Default", "capacity": 1}}
        )
        assert patched.status_code == 202
        get = here.client.online_deployments.get
        wait_for(lambda: get("demo", endpoint).provisioning_state == "Succeeded", 20)
        assert len(pids(here, endpoint)) == 1
        assert here.client.online_deployments.get("demo", endpoint).instance_count == 1
        skus = here.service.arm("GET", f"{path}/skus", version="2023-04-01-preview").json()["value"]
        assert skus[0]["capacity"]["minimum"] == 1


def test_a_request_under_way_is_answered_though_its_instance_is_replaced(here: Serving) -> None:
    with here.endpoint() as endpoint, ThreadPoolExecutor(1) as aside:
        limits = OnlineRequestSettings(request_timeout_ms=30000)
        here.deploy(endpoint, "demo", request_settings=limits)
        here.traffic(endpoint, demo=100)
        (first,) = pids(here, endpoint, 1)
        slow = aside.submit(here.score, endpoint, {"sleep": 6})
        wait_for(lambda: '"sleep"' in here.log(endpoint, "demo"), 5)
        here.deploy(endpoint, "demo", request_settings=limits, variables={"CHANGED": "1"})
        assert slow.result().status_code == 200
        assert slow.result().json()["pid"] == first
        assert first not in pids(here, endpoint, 1)


def test_an_update_keeps_answering_and_a_failed_one_leaves_the_old_instances(here: Serving) -> None:
    with here.endpoint() as endpoint:
        here.deploy(endpoint, "demo")
        here.traffic(endpoint, demo=100)
        (first,) = pids(here, endpoint, 2)
        poller = here.client.online_deployments.begin_create_or_update(
            here.deployment(endpoint, "demo", variables={"LOAD_SECONDS": "1"})
        )
        assert here.score(endpoint, {}).json()["pid"] == first
        poller.result()
        (second,) = pids(here, endpoint, 2)
        assert second != first
        for _ in ("once", "and again, though nothing has changed since"):
            with pytest.raises(HttpResponseError, match="the weights are not those"):
                here.deploy(endpoint, "demo", variables={"CRASH": "1"})
        assert here.client.online_deployments.get("demo", endpoint).provisioning_state == "Failed"
        assert set(pids(here, endpoint, 2)) == {second}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"codeConfiguration": {"codeId": "azureml:nobody:1", "scoringScript": "score.py"}}, "nobody"),
        ({"codeConfiguration": {"codeId": None, "scoringScript": "score.py"}}, "codeId None"),
        ({"scoringScript": "../score.py"}, "../score.py"),
        ({"environmentId": None}, "scoring script needs an environment"),
        ({"environmentId": None, "codeConfiguration": None}, "no mlflow_model needs an environment"),
        ({"model": None, "codeConfiguration": None}, "needs a model"),
        ({"environmentId": "azureml:nobody:1"}, "nobody"),
    ],
)
def test_a_deployment_whose_parts_are_not_there_is_refused(
    here: Serving, endpoint: str, change: dict[str, object], reason: str
) -> None:
    path = f"/onlineEndpoints/{endpoint}/deployments"
    body = here.service.arm("GET", f"{path}/demo", version="2023-04-01-preview").json()
    if "scoringScript" in change:
        body["properties"]["codeConfiguration"] |= change
    else:
        body["properties"] |= change
    answer = here.service.arm("PUT", f"{path}/other", version="2023-04-01-preview", json=body)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]["message"]


def test_every_answer_about_endpoints_and_deployments_keeps_to_the_published_contract(
    here: Serving, endpoint: str
) -> None:
    contract.needed()
    of_endpoint, of_deployment = (
        f"/onlineEndpoints/{endpoint}",
        f"/onlineEndpoints/{endpoint}/deployments/demo",
    )
    asked: list[tuple[str, str, dict[str, object] | None]] = [
        ("GET", "/onlineEndpoints", None),
        ("GET", of_endpoint, None),
        ("POST", f"{of_endpoint}/listKeys", None),
        ("GET", f"{of_endpoint}/deployments", None),
        ("GET", of_deployment, None),
        ("GET", f"{of_deployment}/skus", None),
        ("POST", f"{of_deployment}/getLogs", {"tail": 5, "containerType": "StorageInitializer"}),
        ("PATCH", of_deployment, {"tags": {"owner": "me"}}),
    ]
    problems = []
    for method, path, body in asked:
        answer = here.service.arm(method, path, version="2023-04-01-preview", json=body)
        assert answer.is_success, answer.text
        problems += contract.problems(method, str(answer.url), answer.status_code, answer.json())
    assert problems == []
    with here.endpoint("aml_token") as guarded:
        path = f"/onlineEndpoints/{guarded}/token"
        answer = here.service.arm("POST", path, version="2022-02-01-preview")
        assert contract.problems("POST", str(answer.url), answer.status_code, answer.json()) == []


def test_a_model_of_one_file_lies_in_the_model_folder_by_its_name(here: Serving, tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("99")
    single = here.client.models.create_or_update(Model(name="single", path=tmp_path / "numbers.txt"))
    with here.endpoint() as endpoint:
        here.deploy(endpoint, "demo", model=single.id, variables={"MODEL_FILE": "numbers.txt"})
        named = {"azureml-model-deployment": "demo"}
        assert here.score(endpoint, {}, **named).json()["result"] == 100


def test_a_script_without_a_model_is_served_too(here: Serving) -> None:
    with here.endpoint() as endpoint:
        here.deploy(endpoint, "demo", model=None, script="echo.py")
        named = {"azureml-model-deployment": "demo"}
        assert here.score(endpoint, [1, "two"], **named).json() == [1, "two"]
