"""Jobs that are under way when the service ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from azure.ai.ml.exceptions import JobException

from tests.azureml_local.jobs.conftest import wait_for
from tests.azureml_service import (
    AzureMLLocal,
    free_port,
    read_environment,
    start_azureml_local,
    stop_azureml_local,
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_jobs_under_way_end_with_the_service_and_are_failed_at_its_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    port = free_port()
    process = start_azureml_local(tmp_path, port)
    for name, value in read_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    service = AzureMLLocal(f"https://localhost:{port}", tmp_path, read_environment(tmp_path))
    body = {
        "properties": {
            "jobType": "Command",
            "command": "echo $$ > ${{outputs.out}}/pid; sleep 600",
            "computeId": "serverless",
            "environmentId": "azureml:anything:1",
            "outputs": {"out": {"jobOutputType": "uri_folder"}},
        }
    }
    assert service.arm("PUT", "/jobs/long", version="2025-01-01-preview", json=body).status_code == 201
    files = tmp_path / "blobs" / "localstore"
    pid = wait_for(lambda: "".join(path.read_text() for path in files.glob("*/azureml/long/out/pid"))).strip()
    process.send_signal(number)
    process.wait(15)
    wait_for(lambda: not Path("/proc", pid).exists(), 10)
    process = start_azureml_local(tmp_path, port)
    try:
        job = service.arm("GET", "/jobs/long", version="2025-01-01-preview").json()
        assert job["properties"]["status"] == "Failed"
        with pytest.raises(JobException, match="was stopped while the job was under way"):
            service.ml_client().jobs.stream("long")
    finally:
        stop_azureml_local(process)
