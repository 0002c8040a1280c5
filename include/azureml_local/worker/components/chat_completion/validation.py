"""Step 1: look at data, model and parameters before anything costs time; refuse what cannot work."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from .rows import conversations
from .step import StepError, run, say, truth, write_json

SPLITS = ("train", "validation", "test")
POSITIVE = (
    "num_nodes_finetune", "number_of_gpu_to_use_finetuning", "num_train_epochs",
    "per_device_train_batch_size", "per_device_eval_batch_size",
)  # fmt: skip
FRACTIONS = ("adam_beta1", "adam_beta2")
PLAIN = (
    "compute_finetune", "compute_model_import", "compute_data_preprocess", "system_properties", "precision",
    "deepspeed_stage",
)  # fmt: skip
SWITCHES = ("auto_find_batch_size", "apply_deepspeed", "apply_lora", "apply_ort", "ignore_mismatched_sizes")
LIMITS = ("max_steps", "max_seq_length")
TASKS = ("chat-completion", "ChatCompletion")
CHOICES = {"precision": ("16", "32"), "deepspeed_stage": ("2", "3"), "task_name": TASKS}


def parse() -> argparse.Namespace:
    """The component's inputs and its output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlflow_model_path", type=Path)
    for split in SPLITS:
        parser.add_argument(f"--{split}_file_path", type=Path)
        parser.add_argument(f"--{split}_mltable_path", type=Path)
    for name in PLAIN:
        parser.add_argument(f"--{name}")
    for name in POSITIVE:
        parser.add_argument(f"--{name}", type=int)
    for name in (*FRACTIONS, "learning_rate", "adam_epsilon"):
        parser.add_argument(f"--{name}", type=float)
    for name in SWITCHES:
        parser.add_argument(f"--{name}", type=truth)
    parser.add_argument("--max_steps", type=int)
    parser.add_argument("--max_seq_length", type=int)
    parser.add_argument("--task_name", default="chat-completion")
    parser.add_argument("--user_column_names", default="messages")
    parser.add_argument("--validation-info", type=Path, required=True)
    return parser.parse_args()


def check_parameters(given: dict[str, Any]) -> None:
    """Refuse values that cannot train.

    Raises:
        StepError: naming the parameter, its value and what would do.
    """
    rules = [
        *((name, given.get(name, 1) >= 1, "a whole number from 1") for name in POSITIVE),
        *((name, 0 <= given.get(name, 0) < 1, "a number from 0 to below 1") for name in FRACTIONS),
        *((name, given.get(name, 1) > 0, "a number above 0") for name in ("learning_rate", "adam_epsilon")),
        *(
            (name, given.get(name, 1) == -1 or given.get(name, 1) > 0, "-1 or a number from 1")
            for name in LIMITS
        ),
        *((name, given.get(name, some[0]) in some, " or ".join(some)) for name, some in CHOICES.items()),
    ]
    for name, passed, cure in rules:
        if not passed:
            raise StepError(f"The parameter {name} is {given.get(name)!r}: give {cure}.")


def check_data(args: argparse.Namespace) -> dict[str, int]:
    """Read every row of every split; returns the number of rows by split.

    Raises:
        StepError: if there is no training data or a row is malformed (file and line are named).
    """
    counts = {}
    for split in SPLITS:
        path: Path | None = getattr(args, f"{split}_mltable_path") or getattr(args, f"{split}_file_path")
        if path is not None:
            counts[split] = len(conversations(path))
            say(f"{split}: {counts[split]:,} conversations in {path.name}, all well formed")
    if "train" not in counts:
        raise StepError("No training data: give train_file_path or train_mltable_path.")
    return counts


def main() -> None:
    """Check all, then write the report."""
    args = parse()
    given = {name: value for name, value in vars(args).items() if value is not None}
    check_parameters(given)
    counts = check_data(args)
    model: Path | None = args.mlflow_model_path
    if model is not None and not model.exists():
        raise StepError(f"The model folder {model} does not exist: check the job's input mlflow_model_path.")
    target: Path = args.validation_info
    if target.is_dir():  # a mounted output may come as an empty folder of the file's name
        shutil.rmtree(target)
    shown = {name: value for name, value in given.items() if name != "validation_info"}
    write_json(target, {"status": "Succeeded", "rows": counts, "parameters": shown})
    say("validation passed")


if __name__ == "__main__":
    run(main)
