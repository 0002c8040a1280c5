"""The fine-tune component's inputs, and what the trainer makes of them on this machine."""

from __future__ import annotations

import argparse
import importlib.util
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .step import say, truth

if TYPE_CHECKING:
    from transformers import TrainingArguments

SWITCHES = {
    "apply_lora": False,
    "merge_lora_weights": True,
    "auto_find_batch_size": False,
    "enable_full_determinism": False,
    "ignore_mismatched_sizes": False,
    "resume_from_checkpoint": False,
    "apply_early_stopping": False,
    "apply_deepspeed": False,
    "apply_ort": False,
}
WHOLE = {
    "lora_alpha": 128,
    "lora_r": 8,
    "num_train_epochs": 1,
    "max_steps": -1,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "warmup_steps": 0,
    "gradient_accumulation_steps": 1,
    "eval_accumulation_steps": -1,
    "seed": 42,
    "dataloader_num_workers": 0,
    "eval_steps": 500,
    "logging_steps": 10,
    "save_total_limit": -1,
    "early_stopping_patience": 1,
}
NUMBERS = {
    "lora_dropout": 0.0,
    "learning_rate": 2e-5,
    "weight_decay": 0.0,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "evaluation_steps_interval": 0.0,
    "early_stopping_threshold": 0.0,
}
# Enumerations; the first is the component's default.
CHOICES = {
    "optim": ("adamw_torch", "adafactor"),
    "lr_scheduler_type": (
        "linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup"),
    "precision": ("32", "16"),
    "evaluation_strategy": ("epoch", "steps", "disable"),
    "logging_strategy": ("steps", "epoch"),
    "metric_for_best_model": ("loss", "f1", "exact"),
    "deepspeed_stage": ("2", "3"),
}  # fmt: skip


def parse() -> argparse.Namespace:
    """The component's inputs and its output; defaults are the component's."""
    parser = argparse.ArgumentParser(description="Fine-tune the base model on the tokenised conversations.")
    for name, flag in SWITCHES.items():
        parser.add_argument(f"--{name}", type=truth, default=flag)
    for name, whole in WHOLE.items():
        parser.add_argument(f"--{name}", type=int, default=whole)
    for name, number in NUMBERS.items():
        parser.add_argument(f"--{name}", type=float, default=number)
    for name, options in CHOICES.items():
        parser.add_argument(f"--{name}", choices=options, default=options[0])
    parser.set_defaults(deepspeed_stage="2")
    parser.add_argument("--deepspeed", type=Path, help="a DeepSpeed configuration of the user's own")
    parser.add_argument("--model_selector_output", type=Path, required=True)
    parser.add_argument("--preprocess_output", type=Path, required=True)
    parser.add_argument("--pytorch_model_folder", type=Path, required=True)
    return parser.parse_args()


def evaluation(args: argparse.Namespace, train_rows: int) -> dict[str, Any]:
    """When to evaluate and to save a checkpoint; the best one is kept.

    Args:
        args: the component's inputs; ``evaluation_steps_interval`` (of an epoch) wins over ``eval_steps``.
        train_rows: conversations in an epoch.
    """
    if args.evaluation_strategy == "disable":
        return {"eval_strategy": "no", "save_strategy": "epoch"}
    chosen: dict[str, Any] = {
        "eval_strategy": args.evaluation_strategy,
        "save_strategy": args.evaluation_strategy,
    }
    if args.evaluation_strategy == "steps":
        batch = args.per_device_train_batch_size * args.gradient_accumulation_steps
        epoch = max(1, -(-train_rows // batch))
        interval = args.evaluation_steps_interval
        steps = max(1, round(epoch * interval)) if interval > 0 else args.eval_steps
        chosen |= {"eval_steps": steps, "save_steps": steps}
    return chosen | {
        "load_best_model_at_end": True,
        "metric_for_best_model": f"eval_{args.metric_for_best_model}",
        "greater_is_better": args.metric_for_best_model != "loss",
    }


def deepspeed(args: argparse.Namespace, gpu: bool) -> dict[str, Any] | str | None:
    """DeepSpeed's configuration, or None with the reason in the log."""
    if args.apply_ort:
        say("apply_ort=true is passed over: ONNX Runtime training is not part of this environment")
    if not args.apply_deepspeed:
        return None
    if not gpu:
        say(f"apply_deepspeed=true (stage {args.deepspeed_stage}) is passed over: this machine has no GPU")
        return None
    if importlib.util.find_spec("deepspeed") is None:
        say("apply_deepspeed=true is passed over: the package deepspeed is not installed in this environment")
        return None
    alone_on_this_machine()
    if args.deepspeed:
        return str(args.deepspeed)
    return {
        "zero_optimization": {
            "stage": int(args.deepspeed_stage),
            "overlap_comm": True,
            "contiguous_gradients": True,
        },
        "bf16": {"enabled": "auto"},
        "fp16": {"enabled": "auto"},
        "train_micro_batch_size_per_gpu": "auto",
        "train_batch_size": "auto",
        "gradient_accumulation_steps": "auto",
        "gradient_clipping": "auto",
    }


def alone_on_this_machine() -> None:
    """What DeepSpeed's launcher would set: one process, rank 0. Without it DeepSpeed looks for MPI."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1"}
    for name, value in {**alone, "MASTER_PORT": port}.items():
        os.environ.setdefault(name, value)


def precision(asked: str, gpu: bool) -> dict[str, bool]:
    """The trainer's half-precision flags."""
    import torch

    if asked == "32":
        return {}
    if not gpu:
        say("precision=16 is passed over: half precision does not speed up a CPU, training stays in 32 bits")
        return {}
    return {"bf16": True} if torch.cuda.is_bf16_supported() else {"fp16": True}


def training_arguments(args: argparse.Namespace, train_rows: int) -> TrainingArguments:
    """The trainer's arguments; what this machine cannot do is said in the log and left out."""
    import torch
    from transformers import TrainingArguments

    gpu = torch.cuda.is_available()
    same = (
        "num_train_epochs max_steps per_device_train_batch_size per_device_eval_batch_size "
        "auto_find_batch_size optim learning_rate warmup_steps weight_decay adam_beta1 adam_beta2 "
        "adam_epsilon gradient_accumulation_steps lr_scheduler_type seed dataloader_num_workers "
        "max_grad_norm logging_strategy logging_steps"
    )
    return TrainingArguments(
        output_dir=str(args.pytorch_model_folder),
        **{name: getattr(args, name) for name in same.split()},
        **evaluation(args, train_rows),
        **precision(args.precision, gpu),
        full_determinism=args.enable_full_determinism,
        eval_accumulation_steps=args.eval_accumulation_steps if args.eval_accumulation_steps > 0 else None,
        save_total_limit=args.save_total_limit if args.save_total_limit > 0 else None,
        deepspeed=deepspeed(args, gpu),
        include_num_input_tokens_seen="non_padding",
        prediction_loss_only=args.metric_for_best_model == "loss",
        dataloader_pin_memory=gpu,
        label_names=["labels"],
        disable_tqdm=True,
        report_to="none",
    )
