"""The walkthrough as a user writes it: the SDK alone, nothing of this project, whichever Azure it meets.

Run it in a folder with ``config.json``, ``train.jsonl`` and ``test.jsonl``. Prints one JSON line last.
"""

from __future__ import annotations

import ast
import json
import os
import time
import urllib.request
from pathlib import Path

from azure.ai.ml import Input, MLClient, Output
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.dsl import pipeline
from azure.ai.ml.entities import (
    AmlCompute,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    OnlineRequestSettings,
    ProbeSettings,
)
from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

credential: TokenCredential = DefaultAzureCredential()
try:
    credential.get_token("https://management.azure.com/.default")
except Exception:
    credential = ManagedIdentityCredential()
workspace_ml_client = MLClient.from_config(credential=credential)
registry_ml_client = MLClient(credential, registry_name="azureml")
experiment_name = "chat_completion_Phi-3-mini-4k-instruct"
timestamp = str(int(time.time()))

foundation_model = registry_ml_client.models.get("Phi-3-mini-4k-instruct", label="latest")
print(f"Using model {foundation_model.name}, version {foundation_model.version}, id {foundation_model.id}")

allowed = ast.literal_eval(foundation_model.tags.get("finetune_compute_allow_list", "None"))
print(f"Sizes for fine-tuning: {allowed or foundation_model.properties['finetune-recommended-sku']}")
compute_cluster, compute_size = "gpu-cluster-big", "Standard_ND40rs_v2"
try:
    compute = workspace_ml_client.compute.get(compute_cluster)
except ResourceNotFoundError:
    try:
        compute = AmlCompute(name=compute_cluster, size=compute_size, tier="Dedicated", max_instances=2)
        workspace_ml_client.compute.begin_create_or_update(compute).wait()
    except HttpResponseError:
        compute = AmlCompute(name=compute_cluster, size=compute_size, tier="LowPriority", max_instances=2)
        workspace_ml_client.compute.begin_create_or_update(compute).wait()
compute = workspace_ml_client.compute.get(compute_cluster)
assert compute.provisioning_state.lower() != "failed", compute.provisioning_state
(gpus_per_node,) = [
    size.gpus
    for size in workspace_ml_client.compute.list_sizes()
    if size.name.lower() == compute.size.lower()
]

# What is packed with the model goes to the component whole, over what is written here.
finetune_parameters = {
    "num_train_epochs": 3,
    "per_device_train_batch_size": 1,
    "learning_rate": 5e-6,
    "lr_scheduler_type": "cosine",
    "apply_lora": "true",
    "apply_deepspeed": "true",
    "deepspeed_stage": 2,
}
if "model_specific_defaults" in foundation_model.tags:
    finetune_parameters.update(ast.literal_eval(foundation_model.tags["model_specific_defaults"]))
pipeline_component_func = registry_ml_client.components.get(name="chat_completion_pipeline", label="latest")


@pipeline(name=f"{foundation_model.name}-ultrachat", experiment_name=experiment_name)  # type: ignore[untyped-decorator]
def create_pipeline() -> dict[str, Output]:
    chat_completion_pipeline = pipeline_component_func(
        mlflow_model_path=foundation_model.id,
        compute_model_import=compute_cluster,
        compute_preprocess=compute_cluster,
        compute_finetune=compute_cluster,
        compute_model_evaluation=compute_cluster,
        train_file_path=Input(type="uri_file", path="./train.jsonl"),
        test_file_path=Input(type="uri_file", path="./test.jsonl"),
        number_of_gpu_to_use_finetuning=gpus_per_node,
        max_seq_length=128,
        **finetune_parameters,
    )
    return {"trained_model": chat_completion_pipeline.outputs.mlflow_model_folder}


pipeline_object = create_pipeline()
pipeline_object.settings.force_rerun = True
pipeline_object.settings.continue_on_step_failure = False
pipeline_job = workspace_ml_client.jobs.create_or_update(pipeline_object, experiment_name=experiment_name)
workspace_ml_client.jobs.stream(pipeline_job.name)
assert workspace_ml_client.jobs.get(pipeline_job.name).status == "Completed"

(stage,) = workspace_ml_client.jobs.list(parent_job_name=pipeline_job.name)
steps = list(workspace_ml_client.jobs.list(parent_job_name=stage.name))
tracking = workspace_ml_client.workspaces.get(workspace_ml_client.workspace_name).mlflow_tracking_uri
token = credential.get_token("https://management.azure.com/.default").token
request = urllib.request.Request(
    tracking.replace("azureml://", "https://") + "/api/2.0/mlflow/runs/search",
    json.dumps({"filter": f"tags.mlflow.rootRunId = '{pipeline_job.name}'"}).encode(),
    {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
)
with urllib.request.urlopen(request) as answer:
    runs = json.load(answer)["runs"]
metrics = {entry["key"]: entry["value"] for run in runs for entry in run["data"]["metrics"]}

registered = workspace_ml_client.models.create_or_update(
    Model(
        path=f"azureml://jobs/{pipeline_job.name}/outputs/trained_model",
        type=AssetTypes.MLFLOW_MODEL,
        name=f"{foundation_model.name}-ultrachat-200k".replace("/", "-"),
        version=timestamp,
        description=f"{foundation_model.name} fine tuned model for ultrachat 200k chat-completion",
    )
)

online_endpoint_name = "ultrachat-completion-" + timestamp
endpoint = ManagedOnlineEndpoint(
    name=online_endpoint_name, description="Fine-tuned chat model", auth_mode="key"
)
workspace_ml_client.begin_create_or_update(endpoint).wait()
demo_deployment = ManagedOnlineDeployment(
    name="demo",
    endpoint_name=online_endpoint_name,
    model=registered.id,
    instance_type="STANDARD_NC4AS_T4_V3",
    instance_count=1,
    liveness_probe=ProbeSettings(initial_delay=600),
    request_settings=OnlineRequestSettings(request_timeout_ms=90000),
)
workspace_ml_client.online_deployments.begin_create_or_update(demo_deployment).wait()
endpoint.traffic = {"demo": 100}
workspace_ml_client.begin_create_or_update(endpoint).result()

messages = [{"role": "user", "content": "What colour is the sky?"}]
parameters = {"temperature": 0.6, "top_p": 0.9, "do_sample": True, "max_new_tokens": 20}
Path("sample_score.json").write_text(
    json.dumps({"input_data": {"input_string": [messages], "parameters": parameters}, "params": {}})
)
response = workspace_ml_client.online_endpoints.invoke(
    endpoint_name=online_endpoint_name, deployment_name="demo", request_file="sample_score.json"
)
workspace_ml_client.online_endpoints.begin_delete(name=online_endpoint_name).wait()
try:
    workspace_ml_client.online_endpoints.get(online_endpoint_name)
    gone = False
except ResourceNotFoundError:
    gone = True
print(
    json.dumps(
        {
            "job": pipeline_job.name,
            "steps": [step.display_name for step in steps],
            "metrics": metrics,
            "model": registered.id,
            "response": response,
            "gone": gone,
            "cloud": os.environ.get("AZUREML_CURRENT_CLOUD"),
        }
    )
)
