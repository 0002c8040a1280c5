"""Step 5: the tuned weights become an MLflow model that chats, with tokenizer, chat template and metadata."""

from __future__ import annotations

import argparse
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .model_import import METADATA
from .step import StepError, read_json, run, say


def parse() -> argparse.Namespace:
    """The component's inputs and its output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model_path", type=Path, required=True)
    parser.add_argument("--model_import_output", type=Path)
    parser.add_argument("--system_properties")
    parser.add_argument("--output_dir", type=Path, required=True)
    return parser.parse_args()


def load(folder: Path) -> Any:
    """The tuned model, whole: an adapter saved apart is merged, since a deployment loads one set of weights.

    Raises:
        StepError: if the folder holds neither a model nor an adapter with its base.
    """
    from transformers import AutoModelForCausalLM

    if (folder / "config.json").is_file():
        return AutoModelForCausalLM.from_pretrained(folder)
    if not (folder / "adapter_config.json").is_file() or not (folder / "base_model").is_dir():
        raise StepError(f"No model in {folder}: give the output pytorch_model_folder of the fine-tune step.")
    from peft import PeftModel

    say("merging the adapter into its base model")
    base = AutoModelForCausalLM.from_pretrained(folder / "base_model")
    return PeftModel.from_pretrained(base, folder).merge_and_unload()


def describe(folder: Path, imported: Path | None) -> dict[str, Any]:
    """What the MLflow model says of its origin."""
    source = next((place for place in (folder, imported) if place and (place / METADATA).is_file()), None)
    known = read_json(source / METADATA) if source else {}
    scores = read_json(folder / "metrics.json") if (folder / "metrics.json").is_file() else {}
    return {
        **known,
        "base_model_task": "chat-completion",
        "task_type": "chat-completion",
        "finetune_metrics": scores,
    }


def requirements() -> list[str]:
    """Packages that a deployment needs; MLflow's own guess imports torchvision and fails without it."""
    return [
        f"{name}=={version(name).split('+')[0]}" for name in ("torch", "transformers", "accelerate", "mlflow")
    ]


def main() -> None:
    """Load, save as MLflow, say what was saved."""
    args = parse()
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    import mlflow.transformers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.model_path)
    model = load(args.model_path)
    model.config.use_cache = True
    metadata = describe(args.model_path, args.model_import_output)
    # Else MLflow notes the folder of this job as the model's source, and asks the Hub for its card.
    model.name_or_path = model.config.name_or_path = str(metadata.get("base_model_name", ""))
    fresh = args.output_dir / ".converting"
    shutil.rmtree(fresh, ignore_errors=True)
    args.output_dir.mkdir(parents=True, exist_ok=True)
    mlflow.transformers.save_model(
        transformers_model={"model": model, "tokenizer": tokenizer},
        path=str(fresh),
        task="llm/v1/chat",
        pip_requirements=requirements(),
        metadata=metadata,
    )
    for (
        item
    ) in fresh.iterdir():  # the output folder exists already, and MLflow saves only to one that does not
        shutil.move(item, args.output_dir / item.name)
    fresh.rmdir()
    size = sum(file.stat().st_size for file in args.output_dir.rglob("*") if file.is_file())
    shape = f"{model.num_parameters():,} parameters, {size / 1e6:,.1f} MB"
    say(f"MLflow model saved: {shape}, task chat-completion")


if __name__ == "__main__":
    run(main)
