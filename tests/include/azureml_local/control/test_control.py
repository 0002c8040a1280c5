"""The control routes: reset, quota, survival of a restart."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.support.azureml_service import AzureMLLocal, running

DATA = {"properties": {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}}


def test_reset_forgets_everything_but_what_a_workspace_comes_with(tmp_path: Path) -> None:
    with running(tmp_path / "home") as service:
        service.arm("PUT", "/data/gone/versions/1", json=DATA)
        service.post("/_local/faults", {"kind": "status", "path": "/no/such/*"})
        service.post("/_local/reset")
        assert service.arm("GET", "/data/gone/versions/1").status_code == 404
        assert service.http.get("/_local/faults").json() == {"value": []}
        assert len(service.arm("GET", "/datastores").json()["value"]) == 2
        assert service.arm("PUT", "/data/new/versions/1", json=DATA).status_code == 201


def test_what_was_confirmed_survives_a_kill(tmp_path: Path) -> None:
    with running(tmp_path / "home") as service:
        assert service.arm("PUT", "/data/kept/versions/1", json=DATA).status_code == 201
        service.post("/_local/time", {"policy": "manual", "noun": "computes"})
        compute = {
            "location": "eastus",
            "properties": {
                "computeType": "AmlCompute",
                "properties": {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 1}},
            },
        }
        assert service.arm("PUT", "/computes/half-made", json=compute).status_code == 201
        service.kill()
        service.start_again()
        assert service.arm("GET", "/data/kept/versions/1").status_code == 200
        state = service.arm("GET", "/computes/half-made").json()["properties"]["provisioningState"]
        assert state == "Succeeded"


def test_it_listens_on_the_loopback_interface_alone(azureml_local: AzureMLLocal) -> None:
    port = azureml_local.base_url.rsplit(":", 1)[1]
    listening = Path("/proc/net/tcp").read_text()
    assert f"0100007F:{int(port):04X}" in listening
    assert f"00000000:{int(port):04X}" not in listening


def test_its_secrets_are_readable_by_their_owner_alone(azureml_local: AzureMLLocal) -> None:
    secrets = azureml_local.home / "secrets"
    assert secrets.stat().st_mode & 0o077 == 0
    files = [*secrets.iterdir(), azureml_local.home / "azure.env"]
    assert len(files) >= 5
    assert [file for file in files if file.stat().st_mode & 0o077] == []


def test_a_lost_response_is_sent_again_without_harm(azureml_local: AzureMLLocal) -> None:
    fault = {"kind": "lost_response", "method": "PUT", "path": "*/data/twice/versions/1"}
    with azureml_local.faults(fault):
        with pytest.raises(httpx.TransportError):
            azureml_local.arm("PUT", "/data/twice/versions/1", json=DATA)
        assert azureml_local.arm("PUT", "/data/twice/versions/1", json=DATA).status_code == 200


def test_a_quota_of_an_unknown_family_is_refused(azureml_local: AzureMLLocal) -> None:
    answer = azureml_local.http.post("/_local/quota", json={"family": "nobody", "limit": 1})
    assert answer.status_code == 400
    assert "standardNCADSA100v4Family" in answer.json()["error"]["message"]


def test_a_malformed_answer_is_200_and_no_json(azureml_local: AzureMLLocal) -> None:
    with azureml_local.faults({"kind": "malformed", "path": "*/data/garbled/versions/1"}):
        answer = azureml_local.arm("PUT", "/data/garbled/versions/1", json=DATA)
        assert answer.status_code == 200
        with pytest.raises(ValueError, match="Expecting value"):
            answer.json()
    assert azureml_local.arm("GET", "/data/garbled/versions/1").status_code == 404


def test_a_late_response_comes_after_the_server_has_acted(azureml_local: AzureMLLocal) -> None:
    fault = {"kind": "late_response", "method": "PUT", "path": "*/data/late/versions/1", "delay_seconds": 30}
    with azureml_local.faults(fault):
        with pytest.raises(httpx.ReadTimeout):
            azureml_local.arm("PUT", "/data/late/versions/1", json=DATA, timeout=1)
        assert azureml_local.arm("GET", "/data/late/versions/1").status_code == 200


def test_told_to_listen_elsewhere_it_warns_and_shows_no_page(tmp_path: Path) -> None:
    with running(tmp_path / "home", AZUREML_LOCAL_BIND="0.0.0.0") as service:
        assert service.http.get("/runs/nobody").status_code == 403
        warning = "WARNING root: Anybody who reaches 0.0.0.0 may use"
        assert warning in (service.home / "server.log").read_text()
