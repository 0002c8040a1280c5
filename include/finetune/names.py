"""Names of everything that a run makes; all of them can be derived again by whoever has to clean up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

SUBMIT_TASK: Final = "submit_job"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def plain(model: str) -> str:
    """A model's name without the slash that the names of Azure ML may not have."""
    return model.replace("/", "-")


def job_name(dag_id: str, run_id: str, task_id: str = SUBMIT_TASK, map_index: int = -1) -> str:
    """First part of the name of a task's job, the same for every try; the operator adds a fingerprint."""
    return f"finetune-chat-{_digest(dag_id, run_id, task_id, str(map_index))[:16]}"


def endpoint_name(dag_id: str, run_id: str) -> str:
    """The endpoint of a run: 31 characters of the 32 that Azure allows."""
    return f"ultrachat-completion-{_digest(dag_id, run_id)[:10]}"


def experiment_name(model: str) -> str:
    """The experiment of a model's jobs."""
    return f"chat_completion_{plain(model)}"


def registered_model_name(model: str) -> str:
    """The name under which the tuned model is registered."""
    return f"{plain(model)}-ultrachat-200k"


def data_asset_name(dataset: str) -> str:
    """First part of the names of a data set's assets."""
    return plain(dataset).lower().replace("_", "-")


def display_name(model: str, parameters: Mapping[str, Any], gpus_per_node: int) -> str:
    """The job's title in Studio: model, data, global batch size, and the parameters that matter.

    Args:
        model: name of the base model.
        parameters: inputs of the component.
        gpus_per_node: GPUs of one machine.
    """
    batch_size = gpus_per_node
    for factor in ("per_device_train_batch_size", "gradient_accumulation_steps", "num_nodes_finetune"):
        batch_size *= int(parameters.get(factor, 1))
    stage = parameters.get("deepspeed_stage", "2")
    return "-".join(
        (
            plain(model),
            "ultrachat",
            f"bs{batch_size}",
            str(parameters.get("lr_scheduler_type", "linear")),
            f"ds{stage}" if _on(parameters.get("apply_deepspeed")) else "nods",
            "lora" if _on(parameters.get("apply_lora")) else "nolora",
            f"save_limit{parameters.get('save_total_limit', -1)}",
            f"seqlen{parameters.get('max_seq_length', -1)}",
        )
    )


def _on(value: Any) -> bool:
    return str(value).lower() == "true"
