"""Names of everything that a run creates, derived from the run, so that whoever cleans up finds it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

SUBMIT_TASK: Final = "submit_job"


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def plain(model: str) -> str:
    """The name with ``-`` for each ``/``, which no name in Azure ML may have."""
    return model.replace("/", "-")


# Two Airflows with one schedule have runs of the same ids: the connection's project tells them apart.
def job_name(dag_id: str, run_id: str, project: str, task_id: str = SUBMIT_TASK, map_index: int = -1) -> str:
    """First part of the job's name, the same for every try; the operator adds a fingerprint."""
    return f"finetune-chat-{_digest(dag_id, run_id, project, task_id, str(map_index))[:16]}"


def endpoint_name(dag_id: str, run_id: str, project: str) -> str:
    """Endpoint of a run: 31 characters of the 32 that Azure allows."""
    return f"ultrachat-completion-{_digest(dag_id, run_id, project)[:10]}"


def experiment_name(model: str) -> str:
    """Experiment of the model's jobs."""
    return f"chat_completion_{plain(model)}"


def registered_model_name(model: str) -> str:
    """Name of the tuned model in the workspace."""
    return f"{plain(model)}-ultrachat-200k"


def data_asset_name(dataset: str) -> str:
    """First part of the names of a data set's assets."""
    return plain(dataset).lower().replace("_", "-")


def display_name(model: str, parameters: Mapping[str, Any], gpus_per_node: int) -> str:
    """Title of the job in Studio: model, data, global batch size, and the parameters that matter most."""
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
