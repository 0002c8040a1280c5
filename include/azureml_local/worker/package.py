"""Writes a chat model as the kind of asset that the registry holds: an MLflow model folder."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import yaml
from transformers import PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging


def save(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    out: Path,
    *,
    base_model_name: str,
    **metadata: object,
) -> None:
    """Save weights to ``data/model``, tokenizer to ``data/tokenizer``, and an ``MLmodel`` that names both.

    The layout and the flavour's name are those of the registry's own Phi-3 folders.
    """
    transformers_logging.disable_progress_bar()
    model.save_pretrained(out / "data" / "model")
    tokenizer.save_pretrained(out / "data" / "tokenizer")
    description = {
        "flavors": {
            "hftransformersv2": {
                "model_data": "data",
                "hf_pretrained_class": "AutoModelForCausalLM",
                "hf_tokenizer_class": "AutoTokenizer",
                "task_type": "chat-completion",
                "transformers_version": version("transformers"),
            }
        },
        "metadata": {
            "base_model_name": base_model_name,
            "base_model_task": "chat-completion",
            **metadata,
        },
    }
    (out / "MLmodel").write_text(yaml.safe_dump(description, sort_keys=False))
