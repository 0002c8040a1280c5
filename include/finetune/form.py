"""The form that starts a run from Airflow's UI: a table of its fields by section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, Final

from airflow.sdk import Param

from azure_ml.hook.jobs.budgets import MAX_TIMEOUT
from include.finetune import recipe
from include.finetune.checks import MAX_MACHINES, MAX_SEED
from include.finetune.data import choice

# Browser and API server refuse what could be read as a path, a URL or a shell's word. JSON Schema searches, so
# each has its ends, and Python's "$" lets a new line through; what they all let through is checked again, with a
# sentence, before anything is paid for.
_END: Final = r"(?!\n)$"
HUB_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*" + _END
MODEL_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?" + _END
PLAIN_NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]*" + _END
CLUSTER_NAME: Final = r"^[A-Za-z][A-Za-z0-9-]*" + _END
VM_SIZE: Final = r"^[A-Za-z][A-Za-z0-9_]*" + _END
HOURS: Final = MAX_TIMEOUT // timedelta(hours=1)

SCHEDULERS: Final = (
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
)
RECIPE: Final = "Leave it empty for the model's own default, or else the recipe's"


def _field(kind: str, title: str, default: object, description: str, **schema: Any) -> Callable[..., Param]:
    """A field whose section is still to be given; it may be left empty if its default is ``None``."""
    type_ = kind if default is not None else ["null", kind]
    return partial(Param, default, type=type_, title=title, description=description, **schema)


SECTIONS: Final[Mapping[str, Mapping[str, Callable[..., Param]]]] = {
    "Model": {
        "model_name": _field(
            "string",
            "Base model",
            "Phi-3-mini-4k-instruct",
            "Name of a chat model in the registry. Models retire: pick another one then.",
            minLength=1,
            pattern=MODEL_NAME,
            examples=["Phi-3-mini-4k-instruct", "Phi-3.5-mini-instruct", "Phi-4-mini-instruct"],
        ),
        "model_version": _field(
            "string",
            "Version",
            None,
            "Leave it empty for the newest version that is not archived.",
            pattern=PLAIN_NAME,
        ),
    },
    "Data": {
        "dataset": _field(
            "string",
            "Data set",
            recipe.DATASET,
            "Id on the Hugging Face Hub, owner/name. It needs the splits train_sft, test_sft and test_gen, or train "
            "and test or validation, and conversations in a column 'messages' (or see the mapping).",
            pattern=HUB_ID,
        ),
        "dataset_config": _field(
            "string",
            "Configuration of the data set",
            None,
            "For data sets that have several; the error of check_data lists them.",
            pattern=PLAIN_NAME,
        ),
        "split_pc": _field(
            "number",
            "Percent of each split",
            5,
            "Above 0, up to 100. 5 is enough to see the loss fall.",
            exclusiveMinimum=0,
            maximum=100,
        ),
        "sample": _field(
            "string",
            "Which rows",
            choice.FIRST,
            "The first rows and random row groups read that percentage of the bytes (and a row group more); in a "
            "sample of row groups, blocks of some thousand neighbouring rows are drawn with the seed, not single "
            "rows. Random rows are drawn one by one, and that reads nearly the whole split.",
            enum=list(choice.SAMPLES),
        ),
        "seed": _field(
            "integer",
            "Seed",
            42,
            "Draws the random rows, and chooses the conversation of the smoke test.",
            minimum=0,
            maximum=MAX_SEED,
        ),
        "mapping": _field(
            "object",
            "Mapping of columns",
            None,
            "Where a row keeps its conversation; leave it empty to detect it. Names: messages, role, content, roles, "
            'system, or prompt and response. For example {"messages": "conversations", "role": "from", '
            '"content": "value", "roles": {"human": "user", "gpt": "assistant"}}.',
        ),
        "on_bad_row": _field(
            "string",
            "Rows that are no conversation",
            choice.FAIL,
            "fail: stop before anything is paid, with file and line. drop: leave them out, and count why.",
            enum=[choice.FAIL, choice.DROP],
        ),
        "bad_row_limit_pc": _field(
            "number",
            "Percent of bad rows at most",
            5,
            "With drop: if more of a split's rows are bad, the run stops all the same.",
            exclusiveMinimum=0,
            maximum=100,
        ),
    },
    "Training": {
        "num_train_epochs": _field(
            "integer", "Epochs", None, f"How often each conversation is seen. {RECIPE} (3).", minimum=1
        ),
        "learning_rate": _field(
            "number", "Learning rate", None, f"Peak of the schedule. {RECIPE} (0.000005).", exclusiveMinimum=0
        ),
        "per_device_train_batch_size": _field(
            "integer", "Batch size", None, f"Conversations per GPU and step. {RECIPE} (1).", minimum=1
        ),
        "lr_scheduler_type": _field(
            "string",
            "Learning-rate schedule",
            None,
            f"How the learning rate moves during training. {RECIPE} (cosine).",
            enum=[None, *SCHEDULERS],
        ),
        "apply_lora": _field(
            "string",
            "LoRA",
            None,
            f"Train small adapters instead of all weights: far less memory. {RECIPE} (true).",
            enum=[None, "true", "false"],
        ),
        "finetune_parameters": _field(
            "object",
            "More parameters",
            None,
            'Any other input of the component, for example {"max_seq_length": 2048, "lora_r": 16}. '
            "They win over the fields above.",
        ),
    },
    "Compute": {
        "compute_cluster": _field(
            "string",
            "Cluster",
            "gpu-cluster-big",
            "Taken if it exists, created if not.",
            minLength=3,
            maxLength=24,
            pattern=CLUSTER_NAME,
        ),
        "compute_vm_size": _field(
            "string",
            "VM size",
            "Standard_NC24ads_A100_v4",
            "Size of the cluster's machines, if it has to be created. The model says which suit.",
            pattern=VM_SIZE,
        ),
        "compute_min_instances": _field(
            "integer",
            "Machines while idle",
            0,
            "0 costs nothing between runs.",
            minimum=0,
            maximum=MAX_MACHINES,
        ),
        "compute_max_instances": _field(
            "integer", "Machines at most", 1, "What one run can cost.", minimum=1, maximum=MAX_MACHINES
        ),
        "deferrable": _field(
            "boolean",
            "Wait without a worker",
            None,
            "On: the triggerer waits for the job, and a worker shows the log's new lines every five minutes. "
            "Off: a worker waits. Empty: as this Airflow does by default.",
        ),
        "queue_hours": _field(
            "number",
            "Hours in the queue",
            4,
            "How long the job may wait for machines; it is canceled then.",
            exclusiveMinimum=0,
            maximum=HOURS,
        ),
        "run_hours": _field(
            "number",
            "Hours running",
            24,
            "How long the job may run; it is canceled then.",
            exclusiveMinimum=0,
            maximum=HOURS,
        ),
    },
    "Deployment": {
        "instance_type": _field(
            "string",
            "Instance type",
            "Standard_NC6s_v3",
            "VM size that serves the tuned model during the smoke test. The model says which suit.",
            pattern=VM_SIZE,
        ),
        "experiment_name": _field(
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
