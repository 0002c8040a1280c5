"""Run history and jobs in the shape of their contracts: who, how long, from what, to where, and why it failed."""

from __future__ import annotations

import re
from typing import Any

from azure.ai.ml import MLClient

from tests.support.azureml_service import AzureMLLocal
from tests.support.waiting import finished

USER = {"userObjectId", "userPuId", "userIdp", "userAltSecId", "userIss", "userTenantId", "userName", "upn"}


def history(service: AzureMLLocal, path: str, **body: Any) -> Any:
    """The JSON that run history answers."""
    scope = service.arm("GET", "").json()["id"]
    method, url = "POST" if body else "GET", f"/history/v1.0{scope}/{path}"
    answer = service.http.request(method, url, headers=service.token(), json=body or None)
    assert answer.is_success, answer.text
    return answer.json()


def put_job(service: AzureMLLocal, name: str, command: str, **properties: Any) -> None:
    """Submit a command job."""
    body = {
        "jobType": "Command",
        "command": command,
        "environmentId": "azureml:any:1",
        "computeId": "one-node",
    }
    answer = service.arm("PUT", f"/jobs/{name}", json={"properties": body | properties})
    assert answer.status_code == 201, answer.text


def test_the_details_of_a_run_have_all_that_the_contract_names(
    azureml_local: AzureMLLocal, client: MLClient
) -> None:
    data = {
        "dataUri": "azureml://datastores/workspaceblobstore/paths/azureml/words",
        "dataType": "uri_folder",
    }
    (azureml_local.home / "blobs" / "localstore").glob("*")
    store = azureml_local.arm("GET", "/datastores/workspaceblobstore").json()["properties"]["containerName"]
    (azureml_local.home / "blobs" / "localstore" / store / "azureml" / "words").mkdir(parents=True)
    made = azureml_local.arm("PUT", "/data/words/versions/3", json={"properties": data}).json()
    inputs = {"words": {"jobInputType": "uri_folder", "uri": made["id"]}}
    put_job(
        azureml_local,
        "described-run",
        "echo done > ${{outputs.out}}/x",
        inputs=inputs,
        outputs={"out": {"jobOutputType": "uri_folder"}},
        environmentVariables={"COLOUR": "blue"},
    )
    assert finished(client, "described-run").status == "Completed"
    details = history(azureml_local, "runs/described-run/details")
    for who in ("createdBy", "lastModifiedBy"):
        assert set(details[who]) == USER
        assert details[who]["userName"] == "azureml-local"
    assert re.fullmatch(r"00:00:\d\d\.\d{7}", details["duration"])
    assert details["inputs"]["words"]["assetId"].endswith("/data/words/versions/3")
    assert set(details["outputs"]) == {"out", "default"}
    assert details["runDefinition"]["command"] == "echo done > ${{outputs.out}}/x"
    assert details["runDefinition"]["environmentVariables"] == {"COLOUR": "blue"}
    assert details["runDefinition"]["target"] == "one-node"
    assert history(azureml_local, "runs/described-run")["duration"] == details["duration"]
    whole = history(azureml_local, "rundata", runId="described-run")
    assert whole["runDefinition"] == details["runDefinition"]


def test_a_run_under_way_has_no_duration(azureml_local: AzureMLLocal, client: MLClient) -> None:
    put_job(azureml_local, "endless-run", "sleep 60")
    assert history(azureml_local, "runs/endless-run")["duration"] is None
    client.jobs.begin_cancel("endless-run").result()


def test_the_error_of_a_run_has_every_field_of_an_error(
    azureml_local: AzureMLLocal, client: MLClient
) -> None:
    put_job(azureml_local, "failed-run", "echo no && exit 3")
    assert finished(client, "failed-run").status == "Failed"
    error = history(azureml_local, "runs/failed-run/details")["error"]
    assert "exit code 3" in error["error"]["message"]
    assert (error["error"]["additionalInfo"], error["error"]["details"]) == ([], [])
    assert error["error"]["innerError"] is None


def test_an_output_without_a_mode_is_mounted_for_writing(
    azureml_local: AzureMLLocal, client: MLClient
) -> None:
    outputs = {"plain": None, "given": {"jobOutputType": "uri_folder", "mode": "Upload"}}
    put_job(
        azureml_local,
        "moded-run",
        "echo",
        outputs={key: given or {"jobOutputType": "uri_folder"} for key, given in outputs.items()},
    )
    answered = azureml_local.arm("GET", "/jobs/moded-run").json()["properties"]["outputs"]
    assert {key: answered[key]["mode"] for key in outputs} == {"plain": "ReadWriteMount", "given": "Upload"}
    assert client.jobs.get("moded-run").outputs["plain"].mode == "rw_mount"


def test_what_was_never_set_is_null_and_not_absent(azureml_local: AzureMLLocal, client: MLClient) -> None:
    body = {
        "datastoreType": "AzureBlob",
        "accountName": "a",
        "containerName": "b",
        "credentials": {"credentialsType": "None"},
    }
    azureml_local.arm("PUT", "/datastores/silent", json={"properties": body})
    for path in ("/datastores/silent", "/computes/one-node", "/data/words/versions/3", "/jobs/failed-run"):
        assert azureml_local.arm("GET", path).json()["properties"]["description"] is None, path
