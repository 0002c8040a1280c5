"""The recipe: data, component, and the parameters that hold unless model or user say otherwise."""

from __future__ import annotations

from typing import Any, Final

DATASET: Final = "HuggingFaceH4/ultrachat_200k"
SPLITS: Final = ("train_sft", "test_sft", "train_gen", "test_gen")

COMPONENT: Final = "chat_completion_pipeline"
COMPONENT_VERSION: Final = "0.0.82"
"""Pinned: the registry's component changes its inputs from version to version."""

COMPUTE_INPUTS: Final = ("compute_model_import", "compute_preprocess", "compute_finetune")
"""Inputs of the component that name the cluster of a step."""

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
"""How long and how fast."""

OPTIMISATION: Final[dict[str, object]] = {
    "apply_lora": "true",
    "apply_deepspeed": "true",
    "deepspeed_stage": "2",
}
"""How to fit a large model onto few GPUs."""

DEFAULTS: Final = {**TRAINING, **OPTIMISATION}

GENERATION: Final[dict[str, object]] = {
    "temperature": 0.6,
    "top_p": 0.9,
    "do_sample": True,
    "max_new_tokens": 200,
}
"""How the smoke test lets the model answer."""


def inputs(*, model: Any, train: Any, test: Any, cluster: Any, gpus: Any) -> dict[str, Any]:
    """The inputs of the component that follow from a run's other steps.

    Args:
        model: id of the base model.
        train: data asset to train on.
        test: data asset to test with.
        cluster: name of the cluster for every step.
        gpus: GPUs of one machine.
    """
    return {
        "mlflow_model_path": model,
        "train_file_path": train,
        "test_file_path": test,
        "number_of_gpu_to_use_finetuning": gpus,
        **dict.fromkeys(COMPUTE_INPUTS, cluster),
    }
