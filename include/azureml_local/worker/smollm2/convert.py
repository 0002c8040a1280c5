"""From the GGUF file to a model and a tokenizer of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging

SYSTEM: Final = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
# The model's own template, word for word, which also marks what the assistant writes: only that is learned.
TEMPLATE: Final = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\n" + SYSTEM + "<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def convert(file: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """The model in bfloat16 and its tokenizer.

    A model that was read from GGUF refuses to be saved, so its weights move into one made from its
    configuration alone.
    """
    logging.disable_progress_bar()
    read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    settings = read.config.to_dict()
    settings.pop("quantization_config", None)
    settings.pop("_name_or_path", None)
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(settings.pop("model_type"), **settings), dtype=torch.bfloat16
    )
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    tokenizer.chat_template = TEMPLATE
    tokenizer.model_max_length = model.config.max_position_embeddings
    return model, tokenizer
