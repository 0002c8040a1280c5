"""A user's own weights, of another architecture than Phi-3, through the same pipeline up to an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml import Input, MLClient, dsl
from azure.ai.ml.entities import AmlCompute, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model
from azure.core.exceptions import HttpResponseError

from tests.support.azureml_service import AzureMLLocal, running
from tests.support.compute_environment import run_compute
from tests.support.conversations import conversation

CLUSTER = "own-weights"
MISSING = "name: no-weights\nversion: 1\ntype: mlflow_model\npath: ../../nowhere\n"


@pytest.fixture(scope="module")
def service(compute: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLLocal]:
    """A service whose registry holds a tiny Llama beside what it always holds."""
    home, own = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("own")
    made = run_compute("-m", "azureml_local.worker.bring_your_own", "--out", str(own))
    assert made.returncode == 0, made.stdout
    (own / "catalogue" / "models" / "missing.yaml").write_text(MISSING)
    with running(home, AZUREML_LOCAL_CATALOGUE=str(own / "catalogue")) as found:
        yield found


def train(service: AzureMLLocal, client: MLClient, model: str, folder: Path) -> str:
    """Fine-tune with the registry's pipeline; name of the job, which has ended."""
    rows = folder / "train.jsonl"
    rows.write_text("".join(json.dumps(conversation(number)) + "\n" for number in range(20)))
    client.compute.begin_create_or_update(AmlCompute(name=CLUSTER, size="Standard_DS3_v2")).result()
    component = service.registry_client().components.get("chat_completion_pipeline", label="latest")

    @dsl.pipeline(name="own_weights")  # type: ignore[untyped-decorator]
    def build() -> Any:
        step = component(
            mlflow_model_path=model,
            compute_model_import=CLUSTER,
            compute_preprocess=CLUSTER,
            compute_finetune=CLUSTER,
            train_file_path=Input(type="uri_file", path=str(rows)),
            num_train_epochs=1,
            per_device_train_batch_size=4,
            learning_rate=5e-3,
            apply_lora="true",
        )
        return {"trained_model": step.outputs.mlflow_model_folder}

    job = client.jobs.create_or_update(build())
    client.jobs.stream(job.name)
    return str(job.name)


@pytest.mark.timeout(600)
def test_the_pipeline_tunes_a_llama_and_a_deployment_of_it_answers(
    service: AzureMLLocal, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    base = service.registry_client().models.get("tiny-llama", label="latest")
    assert json.loads(base.tags["model_specific_defaults"])["learning_rate"] == 0.005
    client = service.ml_client()
    job = train(service, client, base.id, tmp_path)
    client.jobs.download(job, download_path=tmp_path, output_name="trained_model")
    (described,) = tmp_path.rglob("MLmodel")
    config = json.loads((described.parent / "model" / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    logs = [file.read_text() for file in service.home.rglob("std_log.txt")]
    (tuning,) = [log for log in logs if "parameters are trained" in log]
    trained, _, whole = tuning.split(" parameters are trained")[0].rpartition("\n")[2].partition(" of ")
    # LoRA of rank 8 beside each of the seven linear layers of both blocks: q and o, k and v, three of the MLP.
    assert int(trained.replace(",", "")) == 8 * 2 * (2 * (64 + 64) + 2 * (64 + 32) + 3 * (64 + 128))
    assert int(whole.replace(",", "")) > 139_584
    registered = client.models.create_or_update(
        Model(
            name="own", version="1", path=f"azureml://jobs/{job}/outputs/trained_model", type="mlflow_model"
        )
    )
    client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="own-chat")).result()
    deployment = ManagedOnlineDeployment(
        name="demo",
        endpoint_name="own-chat",
        model=registered.id,
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    client.online_deployments.begin_create_or_update(deployment).result()
    body = {"input_string": [{"role": "user", "content": "How much is 1 plus 1?"}]}
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"input_data": {**body, "parameters": {"max_new_tokens": 8}}}))
    answer = client.online_endpoints.invoke("own-chat", deployment_name="demo", request_file=str(request))
    assert isinstance(json.loads(answer)["output"], str)
    client.online_endpoints.begin_delete("own-chat").result()


def test_weights_that_are_not_there_are_named_with_the_cure(service: AzureMLLocal, tmp_path: Path) -> None:
    base = service.registry_client().models.get("no-weights", version="1")
    with pytest.raises(HttpResponseError, match="put the weights there, or change the catalogue"):
        service.registry_client().models.download(base.name, base.version, download_path=str(tmp_path))
