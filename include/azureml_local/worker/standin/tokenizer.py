"""A byte-level BPE tokenizer of 2,048 entries with Phi-3's special tokens and turn markers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY: Final = 2048

# The tokens that Phi-3's own tokenizer adds, less its placeholders.
SPECIAL: Final = (
    "<unk>",
    "<s>",
    "</s>",
    "<|endoftext|>",
    "<|assistant|>",
    "<|system|>",
    "<|end|>",
    "<|user|>",
)

ROLES: Final = {
    "bos_token": "<s>",
    "eos_token": "<|endoftext|>",
    "unk_token": "<unk>",
    "pad_token": "<|endoftext|>",
}

# Phi-3's turn format; the generation block tells the trainer which tokens the assistant writes.
TEMPLATE: Final = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ '<|assistant|>\n' }}{% generation %}{{ message['content'] + '<|end|>\n' }}{% endgeneration %}"
    "{% else %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)


def train(texts: Iterable[str], max_length: int) -> PreTrainedTokenizerFast:
    """Learn the merges from ``texts``.

    Args:
        texts: prose to learn from; their order matters for the result.
        max_length: the model's context in tokens.
    """
    core = Tokenizer(models.BPE(unk_token=ROLES["unk_token"]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=list(SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
            min_frequency=2,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        **ROLES,
        padding_side="left",
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
        chat_template=TEMPLATE,
    )
