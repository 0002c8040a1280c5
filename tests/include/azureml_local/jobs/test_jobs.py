"""Jobs through the SDK: pipelines of real processes, their states, logs, failures, cancellation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, command, dsl
from azure.ai.ml.exceptions import JobException

from tests.support.azureml_service import AzureMLLocal
from tests.support.jobs import output_file
from tests.support.waiting import finished, wait_for


def test_a_pipeline_runs_its_steps_in_the_order_of_their_data(
    azureml_local: AzureMLLocal, client: MLClient, two_steps: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    job = client.jobs.create_or_update(two_steps(text="a"), experiment_name="order")
    assert job.status in ("NotStarted", "Preparing", "Running")
    assert job.studio_url.startswith(azureml_local.base_url)
    client.jobs.stream(job.name)
    printed = capfd.readouterr().out
    assert "Submitting 1 runs, first five are: " in printed
    assert "Completing processing run id" in printed
    done = client.jobs.get(job.name)
    assert done.status == "Completed"
    assert output_file(azureml_local, job.name, "answer", "result.txt") == "aab"
    children = list(client.jobs.list(parent_job_name=job.name))
    assert [(child.display_name, child.status) for child in children] == [
        ("first", "Completed"),
        ("second", "Completed"),
    ]
    assert client.jobs.get(children[0].name).display_name == "first"


def test_a_failed_step_fails_the_job_and_its_log_is_in_the_error(client: MLClient, two_steps: Any) -> None:
    job = client.jobs.create_or_update(two_steps(text="a", fail="true"))
    with pytest.raises(JobException, match="the step cannot go on") as refused:
        client.jobs.stream(job.name)
    assert "'second' ended with exit code 1" in str(refused.value)
    assert client.jobs.get(job.name).status == "Failed"


def test_a_job_is_downloaded_with_its_logs_and_outputs(
    client: MLClient, two_steps: Any, tmp_path: Path
) -> None:
    job = finished(client, client.jobs.create_or_update(two_steps(text="a")).name)
    client.jobs.download(job.name, download_path=tmp_path, all=True)
    assert "Finishing experiment" in (tmp_path / "artifacts/logs/azureml/executionlogs.txt").read_text()
    assert (tmp_path / "named-outputs/answer/result.txt").read_text() == "aab"
    child = next(iter(client.jobs.list(parent_job_name=job.name)))
    client.jobs.download(child.name, download_path=tmp_path / "child")
    log = (tmp_path / "child/artifacts/user_logs/std_log.txt").read_text()
    assert "working on a times 2" in log
    assert "secrets: []" in log


def test_the_same_job_submitted_twice_runs_once(client: MLClient, two_steps: Any) -> None:
    pipeline = two_steps(text="a")
    pipeline.name = f"twice-{time.time_ns()}"
    first = client.jobs.create_or_update(pipeline)
    again = client.jobs.create_or_update(pipeline)
    assert first.name == again.name == pipeline.name
    finished(client, first.name)
    assert len(list(client.jobs.list(parent_job_name=first.name))) == 2


def test_serverless_needs_no_cluster(client: MLClient, two_steps: Any) -> None:
    pipeline = two_steps(text="a")
    pipeline.settings.default_compute = "serverless"
    assert finished(client, client.jobs.create_or_update(pipeline).name).status == "Completed"


@pytest.fixture
def sleeper(client: MLClient, count: Any) -> Iterator[Any]:
    """Starts jobs of one step that sleeps; all are cancelled in the end."""
    started: list[str] = []

    def start(compute: str = "one-node") -> str:
        @dsl.pipeline(default_compute=compute)  # type: ignore[untyped-decorator]
        def sleeping() -> Any:
            return {"answer": count(text="z", sleep=600).outputs.folder}

        started.append(client.jobs.create_or_update(sleeping()).name)
        return started[-1]

    yield start
    for name in started:
        client.jobs.begin_cancel(name).result()


def child_status(client: MLClient, job: str) -> str:
    """State of the only step of a job, empty before it begins."""
    return "".join(child.status for child in client.jobs.list(parent_job_name=job))


def test_a_cancelled_job_ends_its_process(
    azureml_local: AzureMLLocal, client: MLClient, sleeper: Any
) -> None:
    name = sleeper()
    files = azureml_local.home / "blobs" / "localstore"
    pid = wait_for(
        lambda: [path.read_text() for path in files.glob(f"*/azureml/{name}/answer/pid") if path.read_text()]
    )[0]
    assert Path("/proc", pid).exists()
    client.jobs.begin_cancel(name).result()
    assert client.jobs.get(name).status == "Canceled"
    assert child_status(client, name) == "Canceled"
    assert not Path("/proc", pid).exists()


def test_a_step_waits_while_its_cluster_is_busy(client: MLClient, sleeper: Any) -> None:
    first = sleeper()
    wait_for(lambda: child_status(client, first) == "Running")
    second = sleeper()
    wait_for(lambda: child_status(client, second) == "Queued")
    elsewhere = sleeper("two-nodes")
    wait_for(lambda: child_status(client, elsewhere) == "Running")
    assert child_status(client, second) == "Queued"
    client.jobs.begin_cancel(first).result()
    wait_for(lambda: child_status(client, second) == "Running")


def test_jobs_are_listed_and_archived(azureml_local: AzureMLLocal, client: MLClient, two_steps: Any) -> None:
    job = client.jobs.create_or_update(two_steps(text="a"), tags={"colour": "blue"})
    finished(client, job.name)
    assert job.name in [one.name for one in client.jobs.list()]
    assert client.jobs.get(job.name).tags["colour"] == "blue"
    for tag, found in (("colour", True), ("colour=blue", True), ("colour=red", False), ("shape", False)):
        # The SDK has no parameter for it; the published contract has.
        listed = azureml_local.arm("GET", "/jobs", params={"tag": tag}).json()["value"]
        assert (job.name in [one["name"] for one in listed]) is found, tag
    client.jobs.archive(job.name)
    assert job.name not in [one.name for one in client.jobs.list()]
    assert job.name in [one.name for one in client.jobs.list(list_view_type="ArchivedOnly")]
    client.jobs.restore(job.name)
    assert job.name in [one.name for one in client.jobs.list()]


def test_a_plain_command_job_runs(azureml_local: AzureMLLocal, client: MLClient, tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(
        "import os, sys; print(os.environ['GREETING'], open(sys.argv[1]).read())"
    )
    (tmp_path / "name.txt").write_text("world")
    job = command(
        command="python hello.py ${{inputs.who}} > ${{outputs.answer}}/greeting.txt && echo written",
        code=tmp_path,
        inputs={"who": Input(type="uri_file", path=str(tmp_path / "name.txt"))},
        outputs={"answer": Output(type="uri_folder")},
        environment="anything@latest",
        environment_variables={"GREETING": "hello"},
        compute="one-node",
        experiment_name="plain",
    )
    job.environment = "azureml:anything:1"
    done = finished(client, client.jobs.create_or_update(job, skip_validation=True).name)
    assert done.status == "Completed"
    assert output_file(azureml_local, done.name, "answer", "greeting.txt") == "hello world\n"


def test_an_injected_fault_fails_a_step_or_leaves_the_job_not_responding(
    azureml_local: AzureMLLocal, client: MLClient, two_steps: Any
) -> None:
    with azureml_local.faults({"kind": "job_failed", "step": "second", "message": "The node was lost."}):
        failed = finished(client, client.jobs.create_or_update(two_steps(text="a")).name)
    assert failed.status == "Failed"
    with azureml_local.faults({"kind": "job_status", "step": "second", "job_state": "NotResponding"}):
        lost = finished(client, client.jobs.create_or_update(two_steps(text="a")).name)
    assert lost.status == "NotResponding"
