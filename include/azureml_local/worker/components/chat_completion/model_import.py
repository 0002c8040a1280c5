"""Step 2: bring the base model, its tokenizer and what is known of it into one folder for the next steps."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import yaml

from .step import StepError, read_json, run, say, write_json

METADATA = "model_metadata.json"


def parse() -> argparse.Namespace:
    """The component's inputs and its output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task_name", default="ChatCompletion")
    parser.add_argument("--huggingface_id")
    parser.add_argument("--pytorch_model_path", type=Path)
    parser.add_argument("--mlflow_model_path", type=Path)
    parser.add_argument("--finetune_config_path", type=Path)
    parser.add_argument("--validation_output", type=Path)
    parser.add_argument("--output_dir", type=Path, required=True)
    return parser.parse_args()


def locate(folder: Path) -> tuple[list[Path], dict[str, Any]]:
    """The folders that make up a model, and the metadata of its ``MLmodel``.

    Three layouts are known: the registry's (``data/model``, ``data/tokenizer``, ``data/config``),
    MLflow's own (``model``, ``components/tokenizer``) and a plain Hugging Face folder.

    Raises:
        StepError: if there is no ``config.json`` in any of them.
    """
    described = next(iter(sorted(folder.rglob("MLmodel"), key=lambda path: len(path.parts))), None)
    root = described.parent if described else folder
    layouts = (
        [root / "data" / part for part in ("config", "tokenizer", "model")],
        [root / "components" / "tokenizer", root / "model"],
        [root],
    )
    for layout in layouts:
        if (layout[-1] / "config.json").is_file() or (layout[0] / "config.json").is_file():
            described_as = yaml.safe_load(described.read_text()) if described else {}
            return [part for part in layout if part.is_dir()], dict(described_as.get("metadata") or {})
    raise StepError(f"No model in {folder}: a config.json is expected in data/model, in model or at the top.")


def choose(args: argparse.Namespace) -> Path:
    """The folder of the model asked for; a path wins over a Hub id, as in the component's documentation.

    Raises:
        StepError: if nothing is given, or a Hub id is not in the local cache.
    """
    given: Path | None = args.pytorch_model_path or args.mlflow_model_path
    if given is not None:
        if not given.is_dir():
            raise StepError(f"The model folder {given} does not exist: check the job's model input.")
        return given
    if not args.huggingface_id:
        raise StepError("No model: give mlflow_model_path, pytorch_model_path or huggingface_id.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(args.huggingface_id, local_files_only=True))
    except (OSError, ValueError) as error:
        raise StepError(
            f"The model {args.huggingface_id!r} is not in this machine's Hugging Face cache and steps do not "
            "reach the Hub: download it first, or give mlflow_model_path."
        ) from error


def main() -> None:
    """Copy the parts into ``output_dir/model`` and note the metadata beside it."""
    args = parse()
    source = choose(args)
    parts, metadata = locate(source)
    model = args.output_dir / "model"
    for part in parts:
        shutil.copytree(part, model, dirs_exist_ok=True)
    config = read_json(model / "config.json")
    if args.finetune_config_path:
        extra = read_json(args.finetune_config_path)
        if extra.get("chat_template"):
            (model / "chat_template.jinja").write_text(str(extra["chat_template"]))
            say("chat template taken from the fine-tune config")
    metadata = {
        "base_model_name": args.huggingface_id or source.name,
        **metadata,
        "model_type": config.get("model_type"),
    }
    write_json(args.output_dir / METADATA, metadata)
    if metadata.get("local_standin"):
        say(f"This is the LOCAL STAND-IN for {metadata['base_model_name']}: tiny weights made here.")
    size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
    say(f"imported {metadata['base_model_name']} ({metadata['model_type']}, {size / 1e6:,.1f} MB)")


if __name__ == "__main__":
    run(main)
