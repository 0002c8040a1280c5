"""``python -m azureml_local.worker.bring_your_own --out FOLDER`` makes a small model of another architecture.

It shows what bringing one's own weights takes, in the least time: a plain Hugging Face folder of random
weights, with a tokenizer and a chat template of its own, and the catalogue that makes the registry hold it.
``AZUREML_LOCAL_CATALOGUE=FOLDER/catalogue`` then adds it to the local Azure ML. Runs in the compute
environment. For real weights only the catalogue is needed: see this folder's README.
"""

from __future__ import annotations

import argparse
import os
import shutil
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", OMP_WAIT_POLICY="PASSIVE")

import yaml

from azureml_local.worker.standin import corpus

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# Model types of transformers that the script can make.
ARCHITECTURES: Final = ("llama", "qwen2", "gpt_neox")
CONTEXT: Final = 512
VOCABULARY: Final = 512
SPECIAL: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
# ChatML; the generation block tells the trainer which tokens the assistant writes.
TEMPLATE: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# What the pipeline takes for this model where the user says nothing; so small a model needs large steps.
DEFAULTS: Final[dict[str, Any]] = {
    "apply_lora": "true",
    "apply_deepspeed": "true",
    "deepspeed_stage": 2,
    "precision": 16,
    "num_train_epochs": 3,
    "learning_rate": 0.005,
    "lr_scheduler_type": "cosine",
}


def make_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with ChatML's turns, learned from the stand-in's prose."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(islice(corpus.paragraphs(seed), 500), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token="<|im_end|>",  # noqa: S106 # a token of the vocabulary  # nosec B106
        pad_token="<|endoftext|>",  # noqa: S106
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        chat_template=TEMPLATE,
    )


def make_model(architecture: str, tokenizer: PreTrainedTokenizerFast, seed: int) -> Any:
    """A model of that type with two narrow layers and random weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        architecture,
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
        initializer_range=0.08,
    )
    return AutoModelForCausalLM.from_config(config)


def catalogue_entry(name: str, architecture: str) -> dict[str, Any]:
    """The document by which the registry holds the model; ``path`` is relative to its file."""
    return {
        "name": name,
        "version": 1,
        "type": "mlflow_model",
        "path": "../../weights",
        "description": f"A small {architecture} model with random weights: an example of one's own weights.",
        "tags": {"task": "chat-completion", "model_specific_defaults": DEFAULTS},
    }


def make(out: Path, architecture: str, name: str, seed: int) -> None:
    """Write ``weights`` and ``catalogue`` below ``out``, in place of what an earlier call wrote there."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    weights, models = out / "weights", out / "catalogue" / "models"
    for folder in (weights, models):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    tokenizer = make_tokenizer(seed)
    model = make_model(architecture, tokenizer, seed)
    model.save_pretrained(weights)
    tokenizer.save_pretrained(weights)
    text = yaml.safe_dump(catalogue_entry(name, architecture), sort_keys=False)
    (models / f"{name}.yaml").write_text(text)
    print(f"{model.num_parameters():,} parameters of {architecture}, random, in {weights}", flush=True)
    print(f"Start the local Azure ML with AZUREML_LOCAL_CATALOGUE={out / 'catalogue'}", flush=True)


def main() -> None:
    """Parse the command line, make the model."""
    parser = argparse.ArgumentParser(description="Make a small model of another architecture than Phi-3.")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights and catalogue")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default=ARCHITECTURES[0])
    parser.add_argument("--name", help="name in the registry; without it tiny-<architecture>")
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same weights")
    args = parser.parse_args()
    name = args.name or f"tiny-{args.architecture.replace('_', '-')}"
    make(args.out.resolve(), args.architecture, name, args.seed)


if __name__ == "__main__":
    main()
