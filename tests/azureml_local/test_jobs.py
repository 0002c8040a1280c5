"""Jobs through the SDK: pipelines of real processes, their states, logs, failures, cancellation."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, Output, command, dsl, load_component
from azure.ai.ml.entities import AmlCompute, Job
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import HttpResponseError

from tests.conftest import AzureMLLocal, free_port, read_environment, start_azureml_local, stop_azureml_local

FINAL = ("Completed", "Failed", "Canceled", "NotResponding")
COUNT = """\
import argparse, os, pathlib, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--text"); parser.add_argument("--times", type=int, default=1)
parser.add_argument("--source"); parser.add_argument("--folder"); parser.add_argument("--fail")
parser.add_argument("--sleep", type=float, default=0)
given = parser.parse_args()
print("working on", given.text, "times", given.times, flush=True)
if given.sleep:
    pathlib.Path(given.folder, "pid").write_text(str(os.getpid()))
    time.sleep(given.sleep)
if given.fail == "true":
    sys.exit("the step cannot go on")
before = pathlib.Path(given.source, "result.txt").read_text() if given.source else ""
pathlib.Path(given.folder, "result.txt").write_text(before + given.text * given.times)
print("secrets:", sorted(name for name in os.environ if "IDENTITY" in name))
"""
COMPONENT = """\
name: count_words
version: "1"
type: command
inputs:
  text: {type: string}
  times: {type: integer, default: 2, min: 1, max: 5}
  source: {type: uri_folder, optional: true}
  fail: {type: string, enum: ["true", "false"], default: "false"}
  sleep: {type: number, optional: true}
outputs:
  folder: {type: uri_folder}
code: ./code
environment: azureml:anything:1
command: >-
  python count.py --text '${{inputs.text}}' --times ${{inputs.times}} $[[--source '${{inputs.source}}']]
  --fail ${{inputs.fail}} $[[--sleep ${{inputs.sleep}}]] --folder '${{outputs.folder}}'
"""


@pytest.fixture(scope="module")
def client(azureml_local: AzureMLLocal) -> MLClient:
    """The SDK's client, and a cluster of one node."""
    found = azureml_local.ml_client()
    for name, nodes in (("one-node", 1), ("two-nodes", 2)):
        found.compute.begin_create_or_update(
            AmlCompute(name=name, size="Standard_DS3_v2", max_instances=nodes)
        ).result()
    return found


@pytest.fixture(scope="module")
def component_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The YAML of a command component whose one file is plain Python."""
    folder = tmp_path_factory.mktemp("component")
    (folder / "code").mkdir()
    (folder / "code" / "count.py").write_text(COUNT)
    (folder / "component.yaml").write_text(COMPONENT)
    return folder / "component.yaml"


@pytest.fixture(scope="module")
def count(component_file: Path) -> Any:
    """The component."""
    return load_component(component_file)


@pytest.fixture
def two_steps(count: Any) -> Any:
    """A pipeline of two steps, the second reading what the first wrote."""

    @dsl.pipeline(name="two_steps", default_compute="one-node")
    def build(text, fail="false"):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - the SDK reads them
        first = count(text=text)
        second = count(text="b", times=1, source=first.outputs.folder, fail=fail)
        return {"answer": second.outputs.folder}

    return build


def finished(client: MLClient, name: str, seconds: float = 60) -> Job:
    """The job, once it is in a final state."""
    deadline = time.monotonic() + seconds
    while (job := client.jobs.get(name)).status not in FINAL:
        assert time.monotonic() < deadline, f"{name} is still {job.status}"
        time.sleep(0.1)
    return job


def output_file(service: AzureMLLocal, job: str, output: str, name: str) -> str:
    """A file that a job wrote, read from disk."""
    (found,) = (service.home / "blobs" / "localstore").glob(f"*/azureml/{job}/{output}/{name}")
    return Path(found).read_text()


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


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({"text": "a", "times": 9}, "lies outside 1 to 5"),
        ({"text": "a", "fail": "perhaps"}, "none of true, false"),
    ],
)
def test_wrong_inputs_are_refused_before_anything_runs(
    client: MLClient, count: Any, inputs: Any, complaint: str
) -> None:
    @dsl.pipeline(default_compute="one-node")  # type: ignore[untyped-decorator]
    def wrong() -> None:
        count(**inputs)

    with pytest.raises(HttpResponseError, match=complaint) as refused:
        client.jobs.create_or_update(wrong(), skip_validation=True)
    assert refused.value.status_code == 400


def test_an_unknown_and_a_missing_input_are_named(
    azureml_local: AzureMLLocal, client: MLClient, component_file: Path
) -> None:
    component = client.components.create_or_update(load_component(component_file))
    for inputs, complaint in (
        ({"text": "a", "colour": "red"}, "'colour' of node 'only' is not an input"),
        ({}, "'text' of node 'only' is required"),
    ):
        node = {
            "name": "only",
            "type": "command",
            "componentId": component.id,
            "computeId": "one-node",
            "inputs": {name: {"job_input_type": "literal", "value": value} for name, value in inputs.items()},
        }
        body = {"properties": {"jobType": "Pipeline", "jobs": {"only": node}, "settings": {}}}
        answer = azureml_local.arm(
            "PUT", f"/jobs/wrong-{time.time_ns()}", version="2024-01-01-preview", json=body
        )
        assert answer.status_code == 400
        assert complaint in answer.json()["error"]["message"]


def test_serverless_needs_no_cluster(client: MLClient, two_steps: Any) -> None:
    pipeline = two_steps(text="a")
    pipeline.settings.default_compute = "serverless"
    assert finished(client, client.jobs.create_or_update(pipeline).name).status == "Completed"


def test_a_compute_that_does_not_exist_is_refused(azureml_local: AzureMLLocal) -> None:
    body = {
        "properties": {
            "jobType": "Command",
            "command": "true",
            "computeId": "nowhere",
            "environmentId": "azureml:e:1",
        }
    }
    answer = azureml_local.arm("PUT", "/jobs/no-compute", version="2025-01-01-preview", json=body)
    assert answer.status_code == 400
    assert "'nowhere' cannot be found" in answer.json()["error"]["message"]


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


def wait_for(what: Any, seconds: float = 30) -> Any:
    """The first true answer of ``what``."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


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
