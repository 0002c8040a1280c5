"""The recipe: data, component, and the parameters that hold unless the model or the user sets others."""

from __future__ import annotations

from typing import Any, Final

DATASET: Final = "HuggingFaceH4/ultrachat_200k"
SPLITS: Final = ("train_sft", "test_sft", "train_gen", "test_gen")

COMPONENT: Final = "chat_completion_pipeline"
# Pinned: the registry's component changes its inputs from version to version.
COMPONENT_VERSION: Final = "0.0.82"
# Each names the cluster of a step.
COMPUTE_INPUTS: Final = ("compute_model_import", "compute_preprocess", "compute_finetune")

COMPONENT_OUTPUT: Final = "mlflow_model_folder"
JOB_OUTPUT: Final = "trained_model"
DEPLOYMENT: Final = "demo"

TRAINING: Final[dict[str, object]] = {
    "num_train_epochs": 3,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "learning_rate": 5e-6,
    "lr_scheduler_type": "cosine",
}

# To fit a large model onto few GPUs.
OPTIMISATION: Final[dict[str, object]] = {
    "apply_lora": "true",
    "apply_deepspeed": "true",
    "deepspeed_stage": "2",
}

DEFAULTS: Final = {**TRAINING, **OPTIMISATION}

# For the answer of the smoke test.
GENERATION: Final[dict[str, object]] = {
    "temperature": 0.6,
    "top_p": 0.9,
    "do_sample": True,
    "max_new_tokens": 200,
}


def inputs(*, model: Any, train: Any, test: Any, cluster: Any, gpus: Any) -> dict[str, Any]:
    """The component's inputs that come from other tasks: ids of model and data, one cluster for all steps."""
    return {
        "mlflow_model_path": model,
        "train_file_path": train,
        "test_file_path": test,
        "number_of_gpu_to_use_finetuning": gpus,
        **dict.fromkeys(COMPUTE_INPUTS, cluster),
    }


INPUTS_OF_THE_DAG: Final = tuple(inputs(model=None, train=None, test=None, cluster=None, gpus=None))
