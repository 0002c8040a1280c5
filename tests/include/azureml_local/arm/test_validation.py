"""Requests are refused as ARM's front door refuses them, and answers carry what ARM's carry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from azure.core.exceptions import ResourceExistsError
from fastapi.routing import APIRoute

from azureml_local.arm import validation
from azureml_local.arm.schemas import Resource
from azureml_local.compute.schemas import ComputeChanges
from azureml_local.front.app import ROUTERS
from azureml_local.jobs.schemas import Job
from tests.support.azureml_service import AzureMLLocal

DATA = {"properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}}


def error(answer: Any) -> tuple[int, str]:
    body = answer.json()["error"]
    assert set(body) == {"code", "message", "target", "details", "additionalInfo"}
    return answer.status_code, body["code"]


def test_a_request_without_a_version_is_refused(azureml_local: AzureMLLocal) -> None:
    answer = azureml_local.arm("GET", "/computes", params={"api-version": ""})
    assert error(answer) == (400, "MissingApiVersionParameter")
    assert "(?api-version=) is required for all requests" in answer.text


@pytest.mark.parametrize("version", ["2023-13-01", "latest", "2019-05-01"])
def test_a_version_that_is_not_served_is_refused_with_those_that_are(
    azureml_local: AzureMLLocal, version: str
) -> None:
    answer = azureml_local.arm("GET", "/computes", version=version)
    assert error(answer) == (400, "InvalidApiVersionParameter")
    assert "2023-08-01-preview" in answer.json()["error"]["message"]


def test_every_version_that_the_sdk_asks_with_is_served() -> None:
    from azure.ai.ml import _ml_client
    from azure.ai.ml._restclient.arm_ml_service import _configuration

    asked = set(re.findall(r'api_version="([\d-]+(?:-preview)?)"', Path(_ml_client.__file__).read_text()))
    asked |= set(re.findall(r'"(20\d\d-\d\d-\d\d(?:-preview)?)"', Path(_configuration.__file__).read_text()))
    assert len(asked) > 10
    assert asked <= validation.API_VERSIONS


def test_a_token_is_asked_for_before_a_version(azureml_local: AzureMLLocal) -> None:
    path = f"/subscriptions/{azureml_local.environment['AZURE_SUBSCRIPTION_ID']}/resourceGroups/rg-local"
    path += "/providers/Microsoft.MachineLearningServices/workspaces/ws-local/computes"
    assert error(azureml_local.http.get(path)) == (401, "AuthenticationFailed")


@pytest.mark.parametrize("content", ['{"properties": ', "", "[1]", '"text"'])
def test_a_body_that_is_no_json_object_is_refused(azureml_local: AzureMLLocal, content: str) -> None:
    answer = azureml_local.arm(
        "PUT", "/data/bad/versions/1", content=content, headers={"Content-Type": "application/json"}
    )
    assert error(answer) == (400, "InvalidRequestContent")


def test_another_media_type_is_refused(azureml_local: AzureMLLocal) -> None:
    answer = azureml_local.arm(
        "PUT", "/data/bad/versions/1", content="<a/>", headers={"Content-Type": "application/xml"}
    )
    assert error(answer) == (415, "UnsupportedMediaType")


WRONG = [
    ("/computes/c", {"properties": {"computeType": "AmlCompute", "properties": {"vmSize": 7}}}, "vmSize"),
    ("/computes/c", {"properties": {"properties": {"scaleSettings": {"maxNodeCount": "4"}}}}, "maxNodeCount"),
    ("/data/d/versions/1", {"properties": {"dataUri": ["x"], "dataType": "uri_file"}}, "dataUri"),
    ("/data/d/versions/1", {"properties": []}, "properties"),
    ("/data/d/versions/1", {"tags": {}}, "properties"),
    ("/models/m/versions/1", {"properties": {"tags": {"a": {"b": 1}}}}, "tags"),
    ("/components/c/versions/1", {"properties": {"componentSpec": "text"}}, "componentSpec"),
    ("/environments/e/versions/1", {"properties": {"isAnonymous": "yes"}}, "isAnonymous"),
    ("/datastores/d", {"properties": {"credentials": "None"}}, "credentials"),
    ("/jobs/j", {"properties": {"jobType": "Pipeline", "jobs": {"a": 1}}}, "jobs"),
    ("/jobs/j", {"properties": {"resources": {"instanceCount": 1.5}}}, "instanceCount"),
    ("/onlineEndpoints/e", {"properties": {"authMode": "Key", "traffic": {"a": "all"}}}, "traffic"),
    ("/onlineEndpoints/e/deployments/d", {"sku": {"capacity": "1"}, "properties": {}}, "capacity"),
]


@pytest.mark.parametrize(("path", "body", "field"), WRONG)
def test_a_field_of_the_wrong_type_is_named(
    azureml_local: AzureMLLocal, path: str, body: dict[str, Any], field: str
) -> None:
    answer = azureml_local.arm("PUT", path, json=body)
    assert error(answer) == (400, "InvalidRequestContent")
    assert field in answer.json()["error"]["target"]
    assert azureml_local.arm("GET", path).status_code == 404


def test_what_is_not_declared_passes() -> None:
    sent: dict[str, Any] = {"properties": {"jobType": "Command", "newField": [1]}}
    assert Job.model_validate(sent).sent() == sent
    sent = {"tags": {"n": 1, "none": None}}
    assert ComputeChanges.model_validate(sent).sent() == sent


def test_an_error_names_the_path_of_the_field(azureml_local: AzureMLLocal) -> None:
    body = {"properties": {"resources": {"instanceCount": "two"}}}
    answer = azureml_local.arm("PUT", "/jobs/j", json=body)
    assert error(answer) == (400, "InvalidRequestContent")
    assert answer.json()["error"]["message"] == (
        "The request content was invalid and could not be deserialized: "
        "'Input should be a valid integer. Path 'properties.resources.instanceCount'.'."
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([1], "Input should be a valid dictionary or instance of Datastore."),
        ({"properties": []}, "Input should be a valid dictionary or instance of DatastoreProperties. Path "),
        ({"properties": None}, "Field required. Path 'properties'."),
        ({"tags": {}}, "Field required. Path 'properties'."),
    ],
)
def test_a_body_of_another_shape_is_refused_in_the_same_words(
    azureml_local: AzureMLLocal, body: Any, problem: str
) -> None:
    answer = azureml_local.arm("PUT", "/datastores/d", json=body)
    assert error(answer) == (400, "InvalidRequestContent")
    assert f"could not be deserialized: '{problem}" in answer.json()["error"]["message"]


def test_every_noun_that_is_put_has_its_body_checked() -> None:
    untyped = {
        route.path
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        and {"PUT", "PATCH"} & route.methods
        and "/workspaces/{workspace}/" in route.path
        and not route.path.startswith(("/mlflow", "/history"))
        and not (
            route.body_field and issubclass(cast(type, route.body_field.field_info.annotation), Resource)
        )
    }
    assert not untyped


def test_reads_carry_a_request_id_and_an_etag_that_changes_with_the_resource(
    azureml_local: AzureMLLocal,
) -> None:
    azureml_local.arm("PUT", "/data/tagged/versions/1", json=DATA)
    first, again = (azureml_local.arm("GET", "/data/tagged/versions/1").headers for _ in range(2))
    assert first["ETag"] == again["ETag"]
    assert first["x-ms-request-id"] != again["x-ms-request-id"]
    changed = {"properties": {**DATA["properties"], "description": "new"}}
    assert azureml_local.arm("PUT", "/data/tagged/versions/1", json=changed).status_code == 200
    assert azureml_local.arm("GET", "/data/tagged/versions/1").headers["ETag"] != first["ETag"]


def test_a_version_that_exists_with_other_content_is_a_conflict(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Data, Environment

    client = azureml_local.ml_client()
    for number in (1, 2):
        (tmp_path / f"{number}.txt").write_text(str(number))
    first, other = (
        Data(name="kept-content", version="1", type="uri_file", path=str(tmp_path / f"{number}.txt"))
        for number in (1, 2)
    )
    assert client.data.create_or_update(first).path == client.data.create_or_update(first).path
    with pytest.raises(ResourceExistsError):
        client.data.create_or_update(other)
    client.environments.create_or_update(Environment(name="kept-content", version="1", image="a"))
    with pytest.raises(ResourceExistsError):
        client.environments.create_or_update(Environment(name="kept-content", version="1", image="b"))
    assert azureml_local.arm("PUT", "/data/kept-content/versions/1", json=DATA).status_code == 409


def test_the_sdk_reads_a_list_of_several_pages_whole(azureml_local: AzureMLLocal) -> None:
    for number in range(1, 206):
        answer = azureml_local.arm("PUT", f"/data/paged/versions/{number}", json=DATA)
        assert answer.status_code == 201
    listed = [item.version for item in azureml_local.ml_client().data.list("paged")]
    assert listed == [str(number) for number in range(205, 0, -1)]
    page = azureml_local.arm("GET", "/data/paged/versions").json()
    assert len(page["value"]) == 100
    assert "%24skip=100" in page["nextLink"]
