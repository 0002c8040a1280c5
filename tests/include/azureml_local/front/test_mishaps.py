"""What goes wrong on demand: nodes taken away, logs that never come, tokens that end, a state put back."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azureml_local.testing.service import CONTROL
from tests.support.azureml_service import AzureMLLocal, running
from tests.support.limits import no_file_above
from tests.support.waiting import FINAL, wait_for

ENVIRONMENT = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112"
DATA = {"properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLLocal]:
    """A service of its own, because these tests replace its whole state."""
    with running(tmp_path_factory.mktemp("home")) as found:
        for name, priority in (("low", "LowPriority"), ("kept", "Dedicated")):
            inner = {
                "vmSize": "Standard_DS3_v2",
                "vmPriority": priority,
                "scaleSettings": {"maxNodeCount": 1},
            }
            body = {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": inner}}
            assert found.arm("PUT", f"/computes/{name}", json=body).status_code == 201
        yield found


def submit(service: AzureMLLocal, name: str, command: str, compute: str = "low") -> None:
    properties = {
        "jobType": "Command",
        "command": command,
        "environmentId": ENVIRONMENT,
        "computeId": compute,
    }
    answer = service.arm("PUT", f"/jobs/{name}", json={"properties": properties})
    assert answer.status_code == 201, answer.text


def details(service: AzureMLLocal, name: str) -> dict[str, Any]:
    scope = str(service.arm("GET", "").json()["id"])
    answer = service.http.get(f"/history/v1.0{scope}/runs/{name}/details", headers=service.token())
    return dict(answer.json())


def ended(service: AzureMLLocal, name: str) -> dict[str, Any]:
    wait_for(lambda: details(service, name)["status"] in FINAL, 60)
    return details(service, name)


def test_a_step_whose_low_priority_node_is_taken_away_is_queued_again(service: AzureMLLocal) -> None:
    with service.faults({"kind": "preemption", "step": "preempted"}):
        submit(service, "preempted", "sleep 0.3")
        run = ended(service, "preempted")
    assert run["status"] == "Completed"
    (warning,) = run["warnings"]
    assert "preempted" in warning["message"]


def test_a_dedicated_node_is_never_taken_away(service: AzureMLLocal) -> None:
    with service.faults({"kind": "preemption"}):
        submit(service, "dedicated", "sleep 0.1", "kept")
        assert ended(service, "dedicated")["warnings"] == []
        assert len(service.http.get("/_local/faults").json()["value"]) == 1


def test_a_lost_log_is_not_among_the_files_of_a_run(service: AzureMLLocal) -> None:
    with service.faults({"kind": "log_lost", "step": "silent"}):
        submit(service, "silent", "echo spoken")
        assert ended(service, "silent")["logFiles"] == {}
    submit(service, "loud", "echo spoken")
    assert list(ended(service, "loud")["logFiles"]) == ["user_logs/std_log.txt"]


def test_a_command_job_can_stop_responding(service: AzureMLLocal) -> None:
    with service.faults({"kind": "job_status", "job_state": "NotResponding"}):
        submit(service, "quiet", "echo spoken")
        assert ended(service, "quiet")["status"] == "NotResponding"


def test_a_token_of_a_short_life_ends(service: AzureMLLocal) -> None:
    service.post("/_local/tokens", {"lifetime": 1})
    try:
        held = service.token()
        scope = "/subscriptions/00000000-0000-4000-8000-000000000001/providers"
        url = f"{scope}/Microsoft.MachineLearningServices/workspaces?api-version=2024-10-01"
        wait_for(lambda: service.http.get(url, headers=held).is_error, 10)
        answer = service.http.get(url, headers=held)
        assert answer.json()["error"]["code"] == "ExpiredAuthenticationToken"
        assert service.http.get(url, headers=service.token()).is_success
    finally:
        service.post("/_local/tokens", {})


def test_revoked_tokens_are_refused_and_new_ones_taken(service: AzureMLLocal) -> None:
    held = service.token()
    url = "/subscriptions/00000000-0000-4000-8000-000000000001/providers/Microsoft.MachineLearningServices"
    url += "/workspaces?api-version=2024-10-01"
    assert service.http.get(url, headers=held).is_success
    service.post("/_local/tokens", {"revoke": True})
    refused = service.http.get(url, headers=held)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")
    assert service.http.get(url, headers=service.token()).is_success


def upload(service: AzureMLLocal, text: str) -> str:
    secrets = service.arm("POST", "/datastores/workspaceblobstore/listSecrets", json={}).json()
    store = service.arm("GET", "/datastores/workspaceblobstore").json()["properties"]
    url = f"{service.base_url}/localstore.blob.{store['endpoint']}/{store['containerName']}/kept.txt"
    url += f"?{secrets['sasToken']}"
    answer = service.http.put(url, content=text, headers={"x-ms-blob-type": "BlockBlob"})
    assert answer.status_code == 201, answer.text
    return url


def test_a_state_is_put_back_with_its_resources_and_files(service: AzureMLLocal) -> None:
    url = upload(service, "before")
    assert service.arm("PUT", "/data/before/versions/1", json=DATA).status_code == 201
    service.post("/_local/snapshot", {"name": "clean"})
    assert service.http.get("/_local/snapshot").json() == {"value": ["clean"]}
    upload(service, "after")
    service.arm("PUT", "/data/after/versions/1", json=DATA)
    submit(service, "endless", "sleep 600")
    service.post("/_local/restore", {"name": "clean"})
    assert service.arm("GET", "/data/before/versions/1").status_code == 200
    assert service.arm("GET", "/data/after/versions/1").status_code == 404
    assert service.arm("GET", "/jobs/endless").status_code == 404
    assert service.http.get(url).text == "before"
    submit(service, "again", "echo spoken")
    assert ended(service, "again")["status"] == "Completed"


@pytest.mark.parametrize(("name", "status"), [("nobody", 404), ("../secrets", 400), ("", 400)])
def test_a_snapshot_that_is_none_is_refused(service: AzureMLLocal, name: str, status: int) -> None:
    assert service.http.post("/_local/restore", json={"name": name}).status_code == status
    assert service.http.get("/_local/ready").json() == {"ready": True}


def test_requests_wait_while_the_state_is_replaced(service: AzureMLLocal) -> None:
    submit(service, "running", "sleep 600")
    seen = set()
    with httpx.Client(base_url=service.base_url, verify=str(service.home / "ca.pem"), timeout=60) as other:
        headers = service.token()
        request = other.build_request("POST", "/_local/reset", headers=CONTROL)
        reset = threading.Thread(target=lambda: other.send(request))
        reset.start()
        while reset.is_alive():
            answer = service.http.get("/metadata/endpoints", headers=headers)
            seen.add((answer.status_code, answer.headers.get("Retry-After")))
        reset.join()
    assert seen <= {(200, None), (503, "1")}
    assert service.http.get("/_local/health").is_success


def test_a_full_disk_of_the_service_is_told_with_its_cure(service: AzureMLLocal) -> None:
    with no_file_above(0, service.process.pid):
        answer = service.arm("PUT", "/data/no-room/versions/1", json=DATA)
    assert answer.status_code == 500
    message = answer.json()["error"]["message"]
    assert re.search("disk|full|File too large", message), message
    assert "AZUREML_LOCAL_HOME" in message
    with contextlib.suppress(
        httpx.RemoteProtocolError
    ):  # the server closes the connection of a failed request
        service.arm("GET", "")
    assert service.arm("PUT", "/data/no-room/versions/1", json=DATA).status_code == 201
