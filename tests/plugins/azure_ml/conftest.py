"""What the tests of hook and operators share: a connection, a task's context, a trained job."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from azure_ml.hook import AzureMLHook
from azure_ml.hook.compute import ClusterSpec
from azure_ml.hook.jobs.pipeline import PipelineRequest
from azure_ml.lifecycle.tags import owner_tags
from include.finetune import recipe
from include.finetune.data.writing import to_line
from tests.support.airflow_task import DAG_ID, Store, TaskInstance
from tests.support.azureml_service import AzureMLLocal
from tests.support.conversations import ROWS


@pytest.fixture(scope="session")
def hook(connection: dict[str, Any]) -> AzureMLHook:
    return AzureMLHook()


@pytest.fixture
def run_id() -> str:
    """The test's own Dag run."""
    return f"run-{uuid.uuid4()}"


@pytest.fixture
def owner(run_id: str) -> dict[str, str]:
    """Tags of what the test's own Dag run makes."""
    return owner_tags(DAG_ID, run_id)


@pytest.fixture
def context(run_id: str) -> Callable[..., Any]:
    """Makes the context of a task, with a state of its own, in the test's run or another one."""
    own = run_id

    def make(run_id: str | None = None, **states: str) -> dict[str, Any]:
        run = run_id or own
        ti = TaskInstance(run, states)
        store = Store()
        return {
            "ti": ti,
            "run_id": run,
            "dag_run": ti,
            "dag": ti,
            "params": {},
            "task_state_store": store,
        }

    return make


@pytest.fixture
def unique() -> str:
    """A name that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def training_request(hook: AzureMLHook) -> Callable[..., PipelineRequest]:
    """Makes a request for the smallest job that trains."""
    hook.files.write("tests/tiny/rows.jsonl", "".join(to_line(row["messages"]) for row in ROWS).encode())
    asset = hook.data.register(
        "tiny", "1", hook.files.uri("tests/tiny/rows.jsonl"), description="Twelve sums."
    )
    base = hook.registry.model("Phi-3-mini-4k-instruct")
    hook.compute.create(ClusterSpec("tiny-cluster", "Standard_NC24ads_A100_v4"), 60)

    def make(name: str) -> PipelineRequest:
        return PipelineRequest(
            name=name,
            component=recipe.COMPONENT,
            component_version=recipe.COMPONENT_VERSION,
            inputs={
                "mlflow_model_path": base.id,
                "train_file_path": asset.uri,
                "test_file_path": f"azureml:{asset.name}:{asset.version}",
                **dict.fromkeys(recipe.COMPUTE_INPUTS, "tiny-cluster"),
                "number_of_gpu_to_use_finetuning": 1,
                "max_steps": 2,
                "num_train_epochs": 1,
                "apply_lora": "true",
            },
            outputs={recipe.COMPONENT_OUTPUT: recipe.JOB_OUTPUT},
            experiment_name="tests",
            display_name="A tiny training",
            owner=owner_tags(DAG_ID, "of-no-run"),
        )

    return make


@pytest.fixture(scope="session")
def trained_job(hook: AzureMLHook, training_request: Callable[..., PipelineRequest]) -> tuple[str, list[str]]:
    """A job that has really trained, and the lines that streaming it gave."""
    lines: list[str] = []
    job, new = hook.jobs.submit(training_request(f"trained-{uuid.uuid4().hex[:8]}"))
    assert new
    hook.logs.stream(job.name, lines.append)
    assert hook.jobs.status(job.name) == "Completed", "\n".join(lines)
    return job.name, lines


@pytest.fixture
def small_cluster(azureml_local: AzureMLLocal) -> Iterator[Callable[[str], None]]:
    """Makes a cluster of one node; it goes in the end, for the quota is of the whole service."""
    names: list[str] = []

    def make(name: str) -> None:
        inner = {"vmSize": "Standard_NC24ads_A100_v4", "scaleSettings": {"maxNodeCount": 1}}
        body = {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": inner}}
        answer = azureml_local.arm("PUT", f"/computes/{name}", json=body)
        assert answer.is_success, answer.text
        names.append(name)

    yield make
    for name in names:
        action = {"underlyingResourceAction": "Delete"}
        answer = azureml_local.arm("DELETE", f"/computes/{name}", params=action)
        assert answer.is_success, answer.text


@pytest.fixture
def command_job(
    azureml_local: AzureMLLocal, owner: dict[str, str], connection: Any, small_cluster: Callable[[str], None]
) -> Iterator[Callable[..., str]]:
    """Submits a job of the test's run that is one command, on a cluster of its own; canceled in the end."""
    names: list[str] = []

    def submit(code: str, *, name: str = "", compute: str = "", **properties: Any) -> str:
        made = name or f"command-{uuid.uuid4().hex[:8]}"
        if not compute:
            small_cluster(f"c{made[-10:]}")
        body = {
            "jobType": "Command",
            "command": f'python -u -c "{code}"',
            "environmentId": "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112",
            "computeId": compute or f"c{made[-10:]}",
            "tags": owner,
            **properties,
        }
        answer = azureml_local.arm("PUT", f"/jobs/{made}", json={"properties": body})
        assert answer.status_code == 201, answer.text
        names.append(made)
        return made

    yield submit
    for name in names:
        azureml_local.arm("POST", f"/jobs/{name}/cancel", version="2023-04-01-preview")


@pytest.fixture
def queued_request(
    training_request: Callable[..., PipelineRequest],
    command_job: Callable[..., str],
    small_cluster: Callable[[str], None],
) -> Iterator[Callable[..., PipelineRequest]]:
    """Makes a request for a job that waits for the node of a cluster which another job holds."""
    cluster = f"held-{uuid.uuid4().hex[:8]}"
    small_cluster(cluster)
    command_job("import time; time.sleep(600)", compute=cluster, tags={"holds": cluster})

    def make(name: str) -> PipelineRequest:
        request = training_request(name)
        inputs = {**request.inputs, **dict.fromkeys(recipe.COMPUTE_INPUTS, cluster)}
        return replace(request, inputs=inputs)

    yield make
    jobs = AzureMLHook().jobs
    for job in jobs.owned({"airflow_dag_id": DAG_ID}):
        jobs.cancel(job.name, {"airflow_dag_id": DAG_ID})
