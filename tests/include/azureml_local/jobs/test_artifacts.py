"""What a command writes to ./outputs and ./logs, and where it is found afterwards."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from azure.ai.ml import Input, MLClient, command, dsl
from azure.ai.ml.entities import Model
from azure.core.exceptions import HttpResponseError

from tests.support.azureml_service import AzureMLLocal, running
from tests.support.jobs import log_of, run
from tests.support.waiting import finished, wait_for

ARTIFACTS = "azureml://jobs/{}/outputs/artifacts/paths"
WRITE = """\
set -u
mkdir outputs/model
echo 'flavors: {python_function: {loader_module: nothing}}' > ./outputs/model/MLmodel
echo kept > ./outputs/o.txt
echo logged > ./logs/l.txt
"""


def test_outputs_and_logs_are_kept_as_artifacts_of_the_run(client: MLClient, tmp_path: Path) -> None:
    done = run(client, WRITE)
    client.jobs.download(done.name, download_path=tmp_path)
    assert (tmp_path / "artifacts/outputs/o.txt").read_text() == "kept\n"
    assert (tmp_path / "artifacts/logs/l.txt").read_text() == "logged\n"
    assert (tmp_path / "artifacts/outputs/model/MLmodel").is_file()


@pytest.mark.parametrize(
    "line",
    ["echo x > outputs/o.txt; exit 3", "rm -r outputs && mkdir outputs && echo x > outputs/o.txt; false"],
)
def test_they_are_kept_of_a_failed_job_and_of_a_folder_made_anew(
    client: MLClient, line: str, tmp_path: Path
) -> None:
    done = run(client, line, "Failed")
    client.jobs.download(done.name, download_path=tmp_path)
    assert (tmp_path / "artifacts/outputs/o.txt").read_text() == "x\n"


def test_artifacts_are_read_by_their_addresses(client: MLClient, tmp_path: Path) -> None:
    job = run(client, WRITE).name
    for number, uri in enumerate(
        (
            f"{ARTIFACTS.format(job)}/outputs/o.txt",
            f"azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.{job}/outputs/o.txt",
        )
    ):
        reader = run(client, "cat ${{inputs.it}}", inputs={"it": Input(type="uri_file", path=uri)})
        assert log_of(client, reader.name, tmp_path / str(number)) == "kept\n"
    for number, uri in enumerate(
        (f"azureml://jobs/{job}/outputs/artifacts/paths/outputs/model/", f"runs:/{job}/outputs/model")
    ):
        made = client.models.create_or_update(
            Model(name=f"of-a-run-{job[:8]}-{number}", path=uri, type="mlflow_model")
        )
        assert made.job_name == job
        assert "python_function" in made.flavors
        client.models.download(made.name, made.version, download_path=tmp_path / f"model{number}")
        assert list((tmp_path / f"model{number}").rglob("MLmodel"))


def test_an_artifact_that_does_not_exist_is_refused(client: MLClient) -> None:
    with pytest.raises(HttpResponseError, match="does not exist"):
        run(
            client,
            "true",
            inputs={
                "it": Input(
                    type="uri_file", path="azureml://jobs/nobody/outputs/artifacts/paths/outputs/o.txt"
                )
            },
        )


def test_each_step_of_a_pipeline_keeps_its_own(client: MLClient, tmp_path: Path) -> None:
    step = command(command="echo $AZUREML_RUN_ID > outputs/me.txt", environment="azureml:anything:1")

    @dsl.pipeline(default_compute="two-nodes")  # type: ignore[untyped-decorator]
    def both() -> None:
        step()
        step()

    done = finished(client, client.jobs.create_or_update(both(), skip_validation=True).name)
    children = [child.name for child in client.jobs.list(parent_job_name=done.name)]
    for name in children:
        client.jobs.download(name, download_path=tmp_path / name)
        assert (tmp_path / name / "artifacts/outputs/me.txt").read_text().strip() == name
    assert len(set(children)) == 2


def test_they_are_seen_while_the_step_runs_and_survive_the_death_of_the_service(tmp_path: Path) -> None:
    body = {
        "jobType": "Command",
        "command": "echo here > logs/live.txt; echo 1 > outputs/o.txt; sleep 600",
        "environmentId": "azureml:anything:1",
    }
    with running(tmp_path) as service:
        service.arm("PUT", "/jobs/long", version="2025-01-01-preview", json={"properties": body})
        client = service.ml_client()

        def live() -> bool:
            details = f"/history/v1.0{service.arm('GET', '').json()['id']}/runs/long/details"
            files = service.http.get(details, headers=service.token()).json()["logFiles"]
            return "logs/live.txt" in files and service.http.get(files["logs/live.txt"]).text == "here\n"

        wait_for(live)
        service.kill(signal.SIGKILL)
        service.start_again()
        client.jobs.download("long", download_path=tmp_path / "got")
        assert (tmp_path / "got/artifacts/outputs/o.txt").read_text() == "1\n"


def test_a_preempted_step_goes_on_with_what_it_wrote(
    azureml_local: AzureMLLocal, client: MLClient, tmp_path: Path
) -> None:
    line = "if test -f outputs/o.txt; then echo again >> outputs/o.txt; else echo first > outputs/o.txt; sleep 600; fi"
    job = command(command=line, environment="azureml:anything:1")
    job.set_queue_settings(job_tier="Spot")
    with azureml_local.faults({"kind": "preemption", "delay_seconds": 1}):
        done = finished(client, client.jobs.create_or_update(job, skip_validation=True).name)
    assert done.status == "Completed"
    client.jobs.download(done.name, download_path=tmp_path)
    assert (tmp_path / "artifacts/outputs/o.txt").read_text() == "first\nagain\n"
