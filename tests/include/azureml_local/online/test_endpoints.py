"""Online endpoints and deployments through the SDK; their names, keys, traffic and refusals."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import (
    OnlineRequestSettings,
    ProbeSettings,
)
from azure.core.exceptions import HttpResponseError

from tests.support.azureml_service import AzureMLLocal
from tests.support.serving_service import score, set_traffic
from tests.support.waiting import wait_for


def test_an_endpoint_is_created_scored_and_deleted(
    client: MLClient, service: AzureMLLocal, deploy: Callable[..., Any], endpoint: str, tmp_path: Path
) -> None:
    created = client.online_endpoints.get(endpoint)
    assert created.provisioning_state == "Succeeded"
    assert created.scoring_uri == f"{service.base_url}/inference/{endpoint}/score"
    deployed = deploy("demo", request_settings=OnlineRequestSettings(request_timeout_ms=90000))
    assert (deployed.provisioning_state, deployed.instance_type) == ("Succeeded", "Standard_DS3_v2")
    set_traffic(client, endpoint, {"demo": 100})
    (tmp_path / "request.json").write_text('{"question": "why"}')
    text = client.online_endpoints.invoke(
        endpoint, deployment_name="demo", request_file=str(tmp_path / "request.json")
    )
    assert json.loads(text)["echo"] == {"question": "why"}
    answer = score(client, service, endpoint, {})
    assert answer.headers["azureml-model-deployment"] == "demo"
    assert answer.headers["azureml-model-session"] == "demo"
    assert answer.headers["x-ms-run-function-failed"] == "False"
    assert service.http.get(f"/inference/{endpoint}/").json() == "Healthy"
    assert "loading ['MLmodel']" in client.online_deployments.get_logs("demo", endpoint, lines=10)
    initializer = client.online_deployments.get_logs(
        "demo", endpoint, lines=10, container_type="storage-initializer"
    )
    assert "mounted" in initializer


def test_the_operation_of_a_creation_goes_from_creating_to_succeeded(service: AzureMLLocal) -> None:
    with service.time("manual", "onlineEndpoints"):
        body = {"location": "eastus", "properties": {"authMode": "Key"}}
        created = service.arm("PUT", "/onlineEndpoints/slow-one", version="2022-02-01-preview", json=body)
        assert created.status_code == 201
        assert created.json()["properties"]["provisioningState"] == "Creating"
        assert created.json()["properties"]["scoringUri"] is None
        assert created.headers["x-ms-async-operation-timeout"] == "PT30M"
        status = created.headers["Azure-AsyncOperation"]
        assert service.http.get(status, headers=service.token()).json() == {"status": "InProgress"}
        again = service.arm("PUT", "/onlineEndpoints/slow-one", version="2022-02-01-preview", json=body)
        assert again.status_code == 409
        service.post("/_local/time/advance")
        wait_for(
            lambda: service.http.get(status, headers=service.token()).json()["status"] != "InProgress", 10
        )
    assert (
        service.arm("GET", "/onlineEndpoints/slow-one").json()["properties"]["provisioningState"]
        == "Succeeded"
    )
    deleted = service.arm("DELETE", "/onlineEndpoints/slow-one")
    assert (deleted.status_code, deleted.json()) == (202, None)
    assert "mfeOperationResults" in deleted.headers["Location"]


@pytest.mark.parametrize("name", ["ab", "1abc", "a" * 33, "abc-", "a_b"])
def test_an_endpoint_name_that_azure_would_not_take_is_refused(service: AzureMLLocal, name: str) -> None:
    answer = service.arm("PUT", f"/onlineEndpoints/{name}", json={"properties": {"authMode": "Key"}})
    assert answer.status_code == 400
    assert name in answer.json()["error"]["message"]


def test_traffic_is_split_by_its_shares(
    client: MLClient, service: AzureMLLocal, deploy: Callable[..., Any], endpoint: str
) -> None:
    deploy("blue")
    deploy("green")
    assert score(client, service, endpoint, {}).status_code == 404
    set_traffic(client, endpoint, {"blue": 75, "green": 25})
    key = client.online_endpoints.get_keys(endpoint).primary_key
    headers = {"Authorization": f"Bearer {key}"}
    url = f"/inference/{endpoint}/score"
    answers = Counter(service.http.post(url, json={}, headers=headers).json()["name"] for _ in range(200))
    assert 120 <= answers["blue"] <= 180
    assert (
        score(client, service, endpoint, {}, **{"azureml-model-deployment": "green"}).json()["name"]
        == "green"
    )
    assert score(client, service, endpoint, {}, **{"azureml-model-deployment": "grey"}).status_code == 404


@pytest.mark.parametrize("traffic", [{"demo": 50}, {"nobody": 100}])
def test_traffic_that_does_not_add_up_is_refused(
    client: MLClient, deploy: Callable[..., Any], endpoint: str, traffic: dict[str, int]
) -> None:
    deploy("demo")
    with pytest.raises(HttpResponseError, match="Traffic"):
        set_traffic(client, endpoint, traffic)


def test_keys_open_the_door_and_nothing_else_does(
    client: MLClient, service: AzureMLLocal, deploy: Callable[..., Any], endpoint: str
) -> None:
    deploy("demo")
    set_traffic(client, endpoint, {"demo": 100})
    url = f"/inference/{endpoint}/score"
    assert service.http.post(url, json={}).status_code == 401
    assert service.http.post(url, json={}, headers={"Authorization": "Bearer guess"}).status_code == 401
    old = client.online_endpoints.get_keys(endpoint)
    client.online_endpoints.begin_regenerate_keys(endpoint, key_type="primary").result()
    new = client.online_endpoints.get_keys(endpoint)
    assert new.primary_key != old.primary_key
    assert new.secondary_key == old.secondary_key
    assert (
        service.http.post(url, json={}, headers={"Authorization": f"Bearer {old.primary_key}"}).status_code
        == 401
    )
    assert (
        service.http.post(url, json={}, headers={"Authorization": f"Bearer {old.secondary_key}"}).status_code
        == 200
    )


def test_the_front_door_answers_as_the_real_one(
    client: MLClient, service: AzureMLLocal, deploy: Callable[..., Any], endpoint: str
) -> None:
    deploy("demo", request_settings=OnlineRequestSettings(request_timeout_ms=1000))
    set_traffic(client, endpoint, {"demo": 100})
    assert score(client, service, endpoint, {"sleep": 3}).status_code == 408
    failed = score(client, service, endpoint, {"status": 500})
    assert failed.status_code == 424
    assert failed.headers["ms-azureml-model-error-statuscode"] == "500"
    assert score(client, service, endpoint, {"die": True}).status_code == 502
    wait_for(
        lambda: score(client, service, endpoint, {}).status_code == 200, 20, "the container did not come back"
    )


def test_a_crashing_container_fails_the_deployment_with_its_log(
    client: MLClient, deploy: Callable[..., Any], endpoint: str
) -> None:
    with pytest.raises(HttpResponseError, match="there is no such layer in the model"):
        deploy("broken", environment_variables={"CRASH": "1"})
    assert client.online_deployments.get("broken", endpoint).provisioning_state == "Failed"


def test_probes_too_short_for_the_model_fail_the_deployment(deploy: Callable[..., Any]) -> None:
    short = ProbeSettings(initial_delay=1, period=1, failure_threshold=1)
    with pytest.raises(HttpResponseError, match="not healthy within 2 s"):
        deploy("slow", environment_variables={"LOAD_SECONDS": "60"}, liveness_probe=short)


def test_an_unknown_instance_type_or_model_is_refused(
    client: MLClient, deploy: Callable[..., Any], endpoint: str, service: AzureMLLocal
) -> None:
    with pytest.raises(HttpResponseError, match="Standard_Nonsense") as refused:
        deploy("demo", instance_type="Standard_Nonsense")
    assert refused.value.status_code == 400
    body = {
        "properties": {
            "model": "azureml:nobody:1",
            "instanceType": "Standard_DS3_v2",
            "endpointComputeType": "Managed",
        }
    }
    answer = service.arm("PUT", f"/onlineEndpoints/{endpoint}/deployments/demo", json=body)
    assert answer.status_code == 400
    assert "nobody" in answer.json()["error"]["message"]
