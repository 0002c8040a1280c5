"""What ARM does with a request before the resource is asked: letter case, limits, and publishing that takes time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from azureml_local.arm.path_case import PathCase
from tests.support.azureml_service import AzureMLLocal, running

VERSION = {"api-version": "2023-08-01-preview"}
DATA = {"properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}}


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        str.upper,
        lambda path: path.replace("resourceGroups", "resourcegroups"),
        lambda path: path.replace("Microsoft.MachineLearningServices", "microsoft.machinelearningservices"),
        lambda path: path.replace("rg-local", "RG-Local").replace("ws-local", "WS-LOCAL"),
    ],
    ids=["lower", "upper", "group", "provider", "names"],
)
def test_the_words_of_a_path_are_taken_in_any_letter_case(azureml_local: AzureMLLocal, change: Any) -> None:
    scope = azureml_local.arm("GET", "").json()["id"]
    path = change(f"{scope}/onlineEndpoints")
    answer = azureml_local.http.get(path, params=VERSION, headers=azureml_local.token())
    assert (answer.status_code, list(answer.json())) == (200, ["value"]), path


def test_a_client_that_spells_its_resource_group_otherwise_reads_and_writes(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Data
    from azure.identity import ManagedIdentityCredential

    subscription = azureml_local.environment["AZURE_SUBSCRIPTION_ID"]
    client = MLClient(ManagedIdentityCredential(), subscription, "RG-LOCAL", "WS-Local")
    (tmp_path / "x.txt").write_text("x")
    client.data.create_or_update(
        Data(name="OtherCase", version="1", path=str(tmp_path / "x.txt"), type="uri_file")
    )
    assert client.data.get("OtherCase", version="1").id.endswith(
        "/resourceGroups/rg-local/providers/Microsoft.MachineLearningServices/workspaces/ws-local"
        "/data/OtherCase/versions/1"
    )


def test_names_and_other_planes_keep_their_letters() -> None:
    fit = PathCase(["/subscriptions/{s}/providers/Microsoft.X/workspaces/{w}/jobs/{name}/cancel"])
    path = "/SUBSCRIPTIONS/s/Providers/microsoft.x/WORKSPACES/ws-local/Jobs/Jobs/CANCEL"
    assert fit(path) == "/subscriptions/s/providers/Microsoft.X/workspaces/ws-local/jobs/Jobs/cancel"
    assert fit("/store/Subscriptions/a") == "/store/Subscriptions/a"


def test_every_answer_of_arm_tells_how_many_requests_are_left(azureml_local: AzureMLLocal) -> None:
    read = azureml_local.arm("GET", "/computes").headers
    written = azureml_local.arm("PUT", "/data/remaining/versions/1", json=DATA).headers
    deleted = azureml_local.arm("DELETE", "/data/remaining/versions/1").headers
    assert 0 < int(read["x-ms-ratelimit-remaining-subscription-reads"]) < 3750
    assert 0 < int(written["x-ms-ratelimit-remaining-subscription-writes"]) < 3000
    assert 0 < int(deleted["x-ms-ratelimit-remaining-subscription-deletes"]) < 3000


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[AzureMLLocal]:
    """A service of its own that takes three reads and no more."""
    with running(tmp_path / "home") as service:
        service.post("/_local/limits", {"reads": {"bucket": 3, "refill": 0}})
        yield service


def test_beyond_the_limit_reads_are_refused_and_writes_are_not(limited: AzureMLLocal) -> None:
    left = [
        limited.arm("GET", "/computes").headers["x-ms-ratelimit-remaining-subscription-reads"]
        for _ in range(3)
    ]
    assert left == ["2", "1", "0"]
    refused = limited.arm("GET", "/computes")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "TooManyRequests")
    assert refused.headers["Retry-After"] == "3600"
    assert limited.arm("PUT", "/data/written/versions/1", json=DATA).status_code == 201
    limited.post("/_local/limits", {})
    assert limited.arm("GET", "/computes").status_code == 200


def test_a_limit_that_makes_no_sense_is_refused(azureml_local: AzureMLLocal) -> None:
    answer = azureml_local.http.post("/_local/limits", json={"reads": {"bucket": 0, "refill": 1}})
    assert (answer.status_code, "bucket" in answer.text) == (400, True)


def published(service: AzureMLLocal, name: str) -> tuple[str, dict[str, str]]:
    """Address of a version of a registry's data asset, and headers."""
    scope = service.arm("GET", "").json()["id"].partition("/workspaces/")[0]
    return f"/mferp/managementfrontend{scope}/registries/azureml/data/{name}/versions/1", service.token()


def test_publishing_takes_time_and_the_version_is_not_to_be_seen_before(azureml_local: AzureMLLocal) -> None:
    path, headers = published(azureml_local, "slowly")
    query = {"api-version": "2021-10-01-dataplanepreview"}
    body = {"properties": {"dataUri": f"{azureml_local.base_url}/localstore/x/y.txt", "dataType": "uri_file"}}
    with azureml_local.time("manual", "registryAssets"):
        put = azureml_local.http.put(path, params=query, headers=headers, json=body)
        assert (put.status_code, put.headers["Retry-After"]) == (202, "1")
        where = put.headers["Location"]
        assert azureml_local.http.get(where, headers=headers).status_code == 202
        assert azureml_local.http.get(path, params=query, headers=headers).status_code == 404
        again = azureml_local.http.put(path, params=query, headers=headers, json=body)
        assert again.status_code == 409
        azureml_local.post("/_local/time/advance?noun=registryAssets")
        done = ended(azureml_local, where, headers)
    assert done.json()["id"] == "azureml://registries/azureml/data/slowly/versions/1"
    assert azureml_local.http.get(path, params=query, headers=headers).json() == done.json()


def ended(service: AzureMLLocal, where: str, headers: dict[str, str]) -> httpx.Response:
    """The last answer about an operation."""
    for _ in range(1000):
        answer = service.http.get(where, headers=headers)
        if answer.status_code != 202:
            return answer
    raise AssertionError("The operation does not end.")


def test_the_sdk_waits_until_its_model_is_published(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    (tmp_path / "w.bin").write_bytes(b"1")
    client, made = azureml_local.registry_client(), []
    model = Model(name="awaited", version="1", path=str(tmp_path / "w.bin"), type="custom_model")
    with azureml_local.time("manual", "registryAssets"):
        publishing = threading.Thread(target=lambda: made.append(client.models.create_or_update(model)))
        publishing.start()
        while publishing.is_alive():
            azureml_local.post("/_local/time/advance?noun=registryAssets")
            publishing.join(0.1)
    assert made[0].id == "azureml://registries/azureml/models/awaited/versions/1"


def test_publishing_other_content_under_the_same_version_is_refused(azureml_local: AzureMLLocal) -> None:
    path, headers = published(azureml_local, "changed")
    query = {"api-version": "2021-10-01-dataplanepreview"}

    def put(file: str) -> httpx.Response:
        properties = {"dataUri": f"{azureml_local.base_url}/localstore/x/{file}", "dataType": "uri_file"}
        return azureml_local.http.put(path, params=query, headers=headers, json={"properties": properties})

    first = put("one.txt")
    assert first.status_code == 202
    assert ended(azureml_local, first.headers["Location"], headers).status_code == 200
    second = put("two.txt")
    assert (second.status_code, second.json()["error"]["code"]) == (409, "UserError")
