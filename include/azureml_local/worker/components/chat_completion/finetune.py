"""Step 4: train. The base model is scored first and the tuned one last, on the same held-out rows."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path
from typing import Any

from .model_import import METADATA
from .settings import parse, training_arguments
from .step import StepError, run, say, write_json

BASE = {"train": "base_train_loss", "validation": "base_eval_loss", "test": "base_test_loss"}
# Split -> metric, before and after the training; ``train_loss`` is the trainer's own mean over the training.
TUNED = {"train": "tuned_train_loss", "validation": "eval_loss", "test": "test_loss"}
# Training rows that are scored before and after: enough for a mean, few enough to cost seconds.
TRAIN_ROWS = 32


def load_model(args: argparse.Namespace, arguments: Any) -> Any:
    """The base model, wrapped for LoRA if asked.

    Args:
        args: the component's inputs.
        arguments: the trainer's. Weights that stay as they are may be loaded in its half precision; those
            that are trained need 32 bits, and a checkpoint in half precision is widened for them.
    """
    import torch
    from transformers import AutoModelForCausalLM

    half = torch.bfloat16 if arguments.bf16 else torch.float16 if arguments.fp16 else torch.float32
    model = AutoModelForCausalLM.from_pretrained(
        args.model_selector_output / "model",
        ignore_mismatched_sizes=args.ignore_mismatched_sizes,
        dtype=half if args.apply_lora else torch.float32,
    )
    model.config.use_cache = False
    if not args.apply_lora:
        return model
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=args.lora_r,
            lora_alpha=args.lora_alpha,
            lora_dropout=args.lora_dropout,
            target_modules="all-linear",
        ),
    )


def make_trainer(args: argparse.Namespace, data: dict[str, Any], metrics: Any) -> Any:
    """Trainer with our progress lines instead of its own."""
    from transformers import (
        AutoTokenizer,
        DataCollatorForSeq2Seq,
        EarlyStoppingCallback,
        PrinterCallback,
        Trainer,
    )

    from .reporting import Progress
    from .scores import argmax, matches

    tokenizer = AutoTokenizer.from_pretrained(args.preprocess_output / "tokenizer")
    callbacks = [Progress(metrics)]
    if args.apply_early_stopping:
        if args.evaluation_strategy == "disable":
            say("apply_early_stopping=true is passed over: evaluation_strategy is 'disable'")
        else:
            callbacks.append(
                EarlyStoppingCallback(args.early_stopping_patience, args.early_stopping_threshold)
            )
    scored = args.metric_for_best_model != "loss"
    # Before the model: DeepSpeed wants to be set up when weights are loaded.
    arguments = training_arguments(args, len(data["train"]))
    trainer = Trainer(
        model=load_model(args, arguments),
        args=arguments,
        train_dataset=data["train"],
        eval_dataset=data["validation"],
        processing_class=tokenizer,
        data_collator=DataCollatorForSeq2Seq(tokenizer, padding=True),
        callbacks=callbacks,
        compute_metrics=matches if scored else None,
        preprocess_logits_for_metrics=argmax if scored else None,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def measured_losses(trainer: Any, data: dict[str, Any], prefixes: dict[str, str]) -> dict[str, float]:
    """Mean loss of the model as it is now on training, validation and test rows.

    Args:
        trainer: holds the model.
        data: the splits; of the training rows the first :data:`TRAIN_ROWS` are taken.
        prefixes: split -> name of its metric.
    """
    losses = {}
    for split, metric in prefixes.items():
        rows = (
            data[split].select(range(min(TRAIN_ROWS, len(data[split])))) if split == "train" else data[split]
        )
        # Any other prefix than "eval" keeps the trainer from taking this for an evaluation of its own.
        losses[metric] = trainer.evaluate(rows, metric_key_prefix="measured")["measured_loss"]
    return losses


def checkpoint(args: argparse.Namespace) -> str | None:
    """The last checkpoint in the output folder, if the training is to resume from it."""
    from transformers.trainer_utils import get_last_checkpoint

    if not args.resume_from_checkpoint:
        return None
    found: str | None = get_last_checkpoint(str(args.pytorch_model_folder))
    say(
        f"resuming from {Path(found).name}"
        if found
        else "resume_from_checkpoint=true: no checkpoint yet, starting anew"
    )
    return found


def save(trainer: Any, args: argparse.Namespace) -> None:
    """Save weights and tokenizer. Unmerged LoRA weights need their base beside them: ``base_model``."""
    out: Path = args.pytorch_model_folder
    model = trainer.model
    if args.apply_lora and args.merge_lora_weights:
        model = model.merge_and_unload()
        say("LoRA weights merged into the base model")
    elif args.apply_lora:
        shutil.copytree(args.model_selector_output / "model", out / "base_model", dirs_exist_ok=True)
        say("merge_lora_weights=false: the adapter is saved with its base model beside it")
    model.config.use_cache = True
    model.save_pretrained(out)
    trainer.processing_class.save_pretrained(out)
    shutil.copy(args.preprocess_output / METADATA, out / METADATA)
    write_json(out / "finetune_args.json", vars(args))


def improvement(scores: dict[str, float]) -> None:
    """Say base and tuned loss side by side."""
    for rows, metric in TUNED.items():
        base, tuned = scores[BASE[rows]], scores[metric]
        say(f"{rows}: base loss {base:.3f}, tuned loss {tuned:.3f} ({(tuned / base - 1):+.0%})")


def main() -> None:
    """Score the base, train, score the result, save it."""
    args = parse()
    import torch
    from datasets import disable_progress_bars, load_from_disk
    from transformers.utils import logging as transformers_logging

    from .reporting import Metrics

    disable_progress_bars()
    transformers_logging.disable_progress_bar()
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    torch.manual_seed(args.seed)
    data = {
        split: load_from_disk(str(args.preprocess_output / split))
        for split in ("train", "validation", "test")
    }
    metrics = Metrics()
    metrics.describe({name: value for name, value in vars(args).items() if not isinstance(value, Path)})
    trainer = make_trainer(args, data, metrics)
    trainable = sum(weight.numel() for weight in trainer.model.parameters() if weight.requires_grad)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {threads} threads"
    say(f"{trainable:,} of {trainer.model.num_parameters():,} parameters are trained, on {device}")

    scores = measured_losses(trainer, data, BASE)
    say(f"base model: eval_loss {scores['base_eval_loss']:.3f}, test_loss {scores['base_test_loss']:.3f}")
    metrics.send(scores, 0)
    started = time.monotonic()
    try:
        result = trainer.train(resume_from_checkpoint=checkpoint(args))
    except torch.OutOfMemoryError as error:
        raise StepError(
            f"Out of memory with per_device_train_batch_size={args.per_device_train_batch_size}: "
            "lower it or max_seq_length, or set auto_find_batch_size to true."
        ) from error
    seconds = time.monotonic() - started
    tuned = measured_losses(trainer, data, TUNED)
    scores |= tuned | {
        "train_loss": result.training_loss,
        "train_runtime": seconds,
        "tokens_per_second": int(trainer.state.num_input_tokens_seen) / seconds,
    }
    metrics.send(
        {name: value for name, value in scores.items() if not name.startswith("base_")}, result.global_step
    )
    improvement(scores)
    save(trainer, args)
    write_json(args.pytorch_model_folder / "metrics.json", scores)
    speed = scores["tokens_per_second"]
    say(f"fine-tuning took {seconds:.0f} s, {speed:,.0f} tokens/s, {result.global_step} steps")


if __name__ == "__main__":
    run(main)
