"""The form that starts a run from Airflow's UI: every field typed, explained, and in its section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from airflow.sdk import Param

from include.finetune import recipe
from include.finetune.data import choice

OPTIONAL_NUMBER: Final = ["null", "number"]
OPTIONAL_INTEGER: Final = ["null", "integer"]
# Browser and API server refuse what could be read as a path, a URL or a shell's word. JSON Schema searches, so
# each has its ends; what they let through is checked again, with a sentence, before anything is paid for.
HUB_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*$"
MODEL_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?$"
PLAIN_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
CLUSTER_NAME: Final = r"^[A-Za-z][A-Za-z0-9-]*$"
VM_SIZE: Final = r"^[A-Za-z][A-Za-z0-9_]*$"
RECIPE: Final = "Leave it empty for the model's own default, or else the recipe's"


def _param(
    section: str, title: str, default: Any, kind: str | list[str], description: str, **schema: Any
) -> Param:
    return Param(default, type=kind, section=section, title=title, description=description, **schema)


def _model() -> dict[str, Param]:
    section = "Model"
    return {
        "model_name": _param(
            section,
            "Base model",
            "Phi-3-mini-4k-instruct",
            "string",
            "Name of a chat model in the registry. Models retire: pick another one then.",
            minLength=1,
            pattern=MODEL_NAME,
            examples=["Phi-3-mini-4k-instruct", "Phi-3.5-mini-instruct", "Phi-4-mini-instruct"],
        ),
        "model_version": _param(
            section,
            "Version",
            None,
            ["null", "string"],
            "Leave it empty for the newest version that is not archived.",
            pattern=PLAIN_NAME,
        ),
    }


def _data() -> dict[str, Param]:
    section = "Data"
    return {
        "dataset": _param(
            section,
            "Data set",
            recipe.DATASET,
            "string",
            "Id on the Hugging Face Hub, owner/name. It needs the splits train_sft, test_sft and test_gen, or train "
            "and test or validation, and conversations in a column 'messages' (or see the mapping).",
            pattern=HUB_ID,
        ),
        "dataset_config": _param(
            section,
            "Configuration of the data set",
            None,
            ["null", "string"],
            "For data sets that have several; the error of check_data lists them.",
            pattern=PLAIN_NAME,
        ),
        "split_pc": _param(
            section,
            "Percent of each split",
            5,
            "number",
            "Above 0, up to 100. 5 is enough to see the loss fall.",
            exclusiveMinimum=0,
            maximum=100,
        ),
        "sample": _param(
            section,
            "Which rows",
            choice.FIRST,
            "string",
            "The first rows and random row groups read that percentage of the bytes (and a row group more); in a "
            "sample of row groups, blocks of some thousand neighbouring rows are drawn with the seed, not single "
            "rows. Random rows are drawn one by one, and that reads nearly the whole split.",
            enum=list(choice.SAMPLES),
        ),
        "seed": _param(
            section,
            "Seed",
            42,
            "integer",
            "Draws the random rows, and chooses the conversation of the smoke test.",
            minimum=0,
        ),
        "mapping": _param(
            section,
            "Mapping of columns",
            None,
            ["null", "object"],
            "Where a row keeps its conversation; leave it empty to detect it. Names: messages, role, content, roles, "
            'system, or prompt and response. For example {"messages": "conversations", "role": "from", '
            '"content": "value", "roles": {"human": "user", "gpt": "assistant"}}.',
        ),
        "on_bad_row": _param(
            section,
            "Rows that are no conversation",
            choice.FAIL,
            "string",
            "fail: stop before anything is paid, with file and line. drop: leave them out, and count why.",
            enum=[choice.FAIL, choice.DROP],
        ),
        "bad_row_limit_pc": _param(
            section,
            "Percent of bad rows at most",
            5,
            "number",
            "With drop: if more of a split's rows are bad, the run stops all the same.",
            exclusiveMinimum=0,
            maximum=100,
        ),
    }


def _training() -> dict[str, Param]:
    section = "Training"
    return {
        "num_train_epochs": _param(
            section,
            "Epochs",
            None,
            OPTIONAL_INTEGER,
            f"How often each conversation is seen. {RECIPE} (3).",
            minimum=1,
        ),
        "learning_rate": _param(
            section,
            "Learning rate",
            None,
            OPTIONAL_NUMBER,
            f"Peak of the schedule. {RECIPE} (0.000005).",
            exclusiveMinimum=0,
        ),
        "per_device_train_batch_size": _param(
            section,
            "Batch size",
            None,
            OPTIONAL_INTEGER,
            f"Conversations per GPU and step. {RECIPE} (1).",
            minimum=1,
        ),
        "lr_scheduler_type": _param(
            section,
            "Learning-rate schedule",
            None,
            ["null", "string"],
            f"How the learning rate moves during training. {RECIPE} (cosine).",
            enum=[
                None,
                "linear",
                "cosine",
                "cosine_with_restarts",
                "polynomial",
                "constant",
                "constant_with_warmup",
            ],
        ),
        "apply_lora": _param(
            section,
            "LoRA",
            None,
            ["null", "string"],
            f"Train small adapters instead of all weights: far less memory. {RECIPE} (true).",
            enum=[None, "true", "false"],
        ),
        "finetune_parameters": _param(
            section,
            "More parameters",
            None,
            ["null", "object"],
            'Any other input of the component, for example {"max_seq_length": 2048, "lora_r": 16}. '
            "They win over the fields above.",
        ),
    }


def _compute() -> dict[str, Param]:
    section = "Compute"
    return {
        "compute_cluster": _param(
            section,
            "Cluster",
            "gpu-cluster-big",
            "string",
            "Taken if it exists, created if not.",
            minLength=2,
            maxLength=32,
            pattern=CLUSTER_NAME,
        ),
        "compute_vm_size": _param(
            section,
            "VM size",
            "Standard_NC24ads_A100_v4",
            "string",
            "Size of the cluster's machines, if it has to be created. The model says which suit.",
            pattern=VM_SIZE,
        ),
        "compute_min_instances": _param(
            section, "Machines while idle", 0, "integer", "0 costs nothing between runs.", minimum=0
        ),
        "compute_max_instances": _param(
            section, "Machines at most", 1, "integer", "What one run can cost.", minimum=1
        ),
        "deferrable": _param(
            section,
            "Wait without a worker",
            None,
            ["null", "boolean"],
            "On: the triggerer waits for the job, and a worker shows the log's new lines every five minutes. "
            "Off: a worker waits. Empty: as this Airflow does by default.",
        ),
        "queue_hours": _param(
            section,
            "Hours in the queue",
            4,
            "number",
            "How long the job may wait for machines; it is canceled then.",
            exclusiveMinimum=0,
        ),
        "run_hours": _param(
            section,
            "Hours running",
            24,
            "number",
            "How long the job may run; it is canceled then.",
            exclusiveMinimum=0,
        ),
    }


def _deployment() -> dict[str, Param]:
    section = "Deployment"
    return {
        "instance_type": _param(
            section,
            "Instance type",
            "Standard_NC6s_v3",
            "string",
            "VM size that serves the tuned model during the smoke test. The model says which suit.",
            pattern=VM_SIZE,
        ),
        "experiment_name": _param(
            section,
            "Experiment",
            None,
            ["null", "string"],
            "Where Studio lists the job. Leave it empty for chat_completion_<model>.",
            pattern=PLAIN_NAME,
        ),
    }


TRAINING_FIELDS: Final = tuple(name for name in _training() if name != "finetune_parameters")


def params() -> dict[str, Param]:
    """The Dag's parameters; their names are the keys of a run's ``conf``."""
    return {**_model(), **_data(), **_training(), **_compute(), **_deployment()}


def asked_for(values: Mapping[str, Any]) -> dict[str, Any]:
    """The training parameters that a user has set in the form."""
    fields = {name: values.get(name) for name in TRAINING_FIELDS}
    return {
        **{name: value for name, value in fields.items() if value is not None},
        **(values.get("finetune_parameters") or {}),
    }
