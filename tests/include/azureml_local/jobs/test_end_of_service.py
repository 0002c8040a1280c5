"""Jobs that are under way when the service ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from azure.ai.ml.exceptions import JobException

from tests.support.azureml_service import running
from tests.support.waiting import wait_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_jobs_under_way_end_with_the_service_and_are_failed_at_its_next_start(
    tmp_path: Path, number: signal.Signals
) -> None:
    body = {
        "properties": {
            "jobType": "Command",
            "command": "echo $$ > ${{outputs.out}}/pid; sleep 600",
            "computeId": "serverless",
            "environmentId": "azureml:anything:1",
            "outputs": {"out": {"jobOutputType": "uri_folder"}},
        }
    }
    files = tmp_path / "blobs" / "localstore"
    with running(tmp_path) as service:
        assert service.arm("PUT", "/jobs/long", version="2025-01-01-preview", json=body).status_code == 201
        pid = wait_for(
            lambda: "".join(path.read_text() for path in files.glob("*/azureml/long/out/pid"))
        ).strip()
        service.kill(number)
        wait_for(lambda: not Path("/proc", pid).exists(), 10)
        service.start_again()
        job = service.arm("GET", "/jobs/long", version="2025-01-01-preview").json()
        assert job["properties"]["status"] == "Failed"
        with pytest.raises(JobException, match="was stopped while the job was under way"):
            service.ml_client().jobs.stream("long")
