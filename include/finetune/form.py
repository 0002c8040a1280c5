"""The form that starts a run from Airflow's UI: a table of its fields by section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from airflow.sdk import Param

from include.finetune import recipe
from include.finetune.checks import MAX_MACHINES, MAX_SEED
from include.finetune.data import choice
from include.finetune.fields import (
    CLUSTER_NAME,
    HOURS,
    HUB_ID,
    MODEL_NAME,
    PLAIN_NAME,
    RECIPE,
    SCHEDULERS,
    VM_SIZE,
    field,
)

SECTIONS: Final[Mapping[str, Mapping[str, Callable[..., Param]]]] = {
    "Model": {
        "model_name": field(
            "string",
            "Base model",
            "Phi-3-mini-4k-instruct",
            "Name of a chat model in the registry. Models retire: pick another one then.",
            minLength=1,
            pattern=MODEL_NAME,
            examples=["Phi-3-mini-4k-instruct", "Phi-3.5-mini-instruct", "Phi-4-mini-instruct"],
        ),
        "model_version": field(
            "string",
            "Version",
            None,
            "Leave it empty for the newest version that is not archived.",
            pattern=PLAIN_NAME,
        ),
    },
    "Data": {
        "dataset": field(
            "string",
            "Data set",
            recipe.DATASET,
            "Id on the Hugging Face Hub, owner/name. It needs the splits train_sft, test_sft and test_gen, or train "
            "and test or validation, and conversations in a column 'messages' (or see the mapping).",
            pattern=HUB_ID,
        ),
        "dataset_config": field(
            "string",
            "Configuration of the data set",
            None,
            "For data sets that have several; the error of check_data lists them.",
            pattern=PLAIN_NAME,
        ),
        "split_pc": field(
            "number",
            "Percent of each split",
            5,
            "Above 0, up to 100. 5 is enough to see the loss fall.",
            exclusiveMinimum=0,
            maximum=100,
        ),
        "sample": field(
            "string",
            "Which rows",
            choice.FIRST,
            "The first rows and random row groups read that percentage of the bytes (and a row group more); in a "
            "sample of row groups, blocks of some thousand neighbouring rows are drawn with the seed, not single "
            "rows. Random rows are drawn one by one, and that reads nearly the whole split.",
            enum=list(choice.SAMPLES),
        ),
        "seed": field(
            "integer",
            "Seed",
            42,
            "Draws the random rows, and chooses the conversation of the smoke test.",
            minimum=0,
            maximum=MAX_SEED,
        ),
        "mapping": field(
            "object",
            "Mapping of columns",
            None,
            "Where a row keeps its conversation; leave it empty to detect it. Names: messages, role, content, roles, "
            'system, or prompt and response. For example {"messages": "conversations", "role": "from", '
            '"content": "value", "roles": {"human": "user", "gpt": "assistant"}}.',
        ),
        "on_bad_row": field(
            "string",
            "Rows that are no conversation",
            choice.FAIL,
            "fail: stop before anything is paid, with file and line. drop: leave them out, and count why.",
            enum=[choice.FAIL, choice.DROP],
        ),
        "bad_row_limit_pc": field(
            "number",
            "Percent of bad rows at most",
            5,
            "With drop: if more of a split's rows are bad, the run stops all the same.",
            exclusiveMinimum=0,
            maximum=100,
        ),
    },
    "Training": {
        "num_train_epochs": field(
            "integer", "Epochs", None, f"How often each conversation is seen. {RECIPE} (3).", minimum=1
        ),
        "learning_rate": field(
            "number", "Learning rate", None, f"Peak of the schedule. {RECIPE} (0.000005).", exclusiveMinimum=0
        ),
        "per_device_train_batch_size": field(
            "integer", "Batch size", None, f"Conversations per GPU and step. {RECIPE} (1).", minimum=1
        ),
        "lr_scheduler_type": field(
            "string",
            "Learning-rate schedule",
            None,
            f"How the learning rate moves during training. {RECIPE} (cosine).",
            enum=[None, *SCHEDULERS],
        ),
        "apply_lora": field(
            "string",
            "LoRA",
            None,
            f"Train small adapters instead of all weights: far less memory. {RECIPE} (true).",
            enum=[None, "true", "false"],
        ),
        "finetune_parameters": field(
            "object",
            "More parameters",
            None,
            'Any other input of the component, for example {"max_seq_length": 2048, "lora_r": 16}. '
            "They win over the fields above.",
        ),
    },
    "Compute": {
        "compute_cluster": field(
            "string",
            "Cluster",
            "gpu-cluster-big",
            "Taken if it exists, created if not.",
            minLength=3,
            maxLength=24,
            pattern=CLUSTER_NAME,
        ),
        "compute_vm_size": field(
            "string",
            "VM size",
            "Standard_NC24ads_A100_v4",
            "Size of the cluster's machines, if it has to be created. The model says which suit.",
            pattern=VM_SIZE,
        ),
        "compute_min_instances": field(
            "integer",
            "Machines while idle",
            0,
            "0 costs nothing between runs.",
            minimum=0,
            maximum=MAX_MACHINES,
        ),
        "compute_max_instances": field(
            "integer", "Machines at most", 1, "What one run can cost.", minimum=1, maximum=MAX_MACHINES
        ),
        "deferrable": field(
            "boolean",
            "Wait without a worker",
            None,
            "On: the triggerer waits for the job, and a worker shows the log's new lines every five minutes. "
            "Off: a worker waits. Empty: as this Airflow does by default.",
        ),
        "queue_hours": field(
            "number",
            "Hours in the queue",
            4,
            "How long the job may wait for machines; it is canceled then.",
            exclusiveMinimum=0,
            maximum=HOURS,
        ),
        "run_hours": field(
            "number",
            "Hours running",
            24,
            "How long the job may run; it is canceled then.",
            exclusiveMinimum=0,
            maximum=HOURS,
        ),
    },
    "Deployment": {
        "instance_type": field(
            "string",
            "Instance type",
            "Standard_NC6s_v3",
            "VM size that serves the tuned model during the smoke test. The model says which suit.",
            pattern=VM_SIZE,
        ),
        "experiment_name": field(
            "string",
            "Experiment",
            None,
            "Where Studio lists the job. Leave it empty for chat_completion_<model>.",
            pattern=PLAIN_NAME,
        ),
    },
}

TRAINING_FIELDS: Final = tuple(name for name in SECTIONS["Training"] if name != "finetune_parameters")


def params() -> dict[str, Param]:
    """The Dag's parameters; their names are the keys of a run's ``conf``."""
    return {
        name: field(section=section) for section, fields in SECTIONS.items() for name, field in fields.items()
    }


def user_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """The training parameters that a user has set in the form."""
    fields = {name: values.get(name) for name in TRAINING_FIELDS}
    return {
        **{name: value for name, value in fields.items() if value is not None},
        **(values.get("finetune_parameters") or {}),
    }
