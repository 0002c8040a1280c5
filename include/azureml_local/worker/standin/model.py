"""Phi-3's architecture in small, and its pre-training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

import torch
from transformers import GenerationConfig, Phi3Config, Phi3ForCausalLM, PreTrainedTokenizerFast

# Tokens, as in Phi-3-mini-4k-instruct.
CONTEXT: Final = 4096

# Tokens of one pre-training example.
WINDOW: Final = 128


class Size(NamedTuple):
    """Width and depth of the model."""

    hidden: int = 128
    inner: int = 384
    layers: int = 4
    heads: int = 4


# For tests that need a model's form and not its knowledge.
TINY: Final = Size(hidden=32, inner=64, layers=2, heads=2)


def build(tokenizer: PreTrainedTokenizerFast, size: Size, seed: int) -> Phi3ForCausalLM:
    """A Phi-3 of that size with random weights."""
    torch.manual_seed(seed)
    ends = [tokenizer.convert_tokens_to_ids(token) for token in ("<|endoftext|>", "<|end|>")]
    config = Phi3Config(
        vocab_size=len(tokenizer),
        hidden_size=size.hidden,
        intermediate_size=size.inner,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=CONTEXT,
        original_max_position_embeddings=CONTEXT,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=ends[0],
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
        # Wide enough for so narrow a model: with the usual 0.02 its attention finds anything far later.
        initializer_range=0.08,
    )
    model = Phi3ForCausalLM(config)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=ends, pad_token_id=tokenizer.pad_token_id
    )
    return model


def windows(tokenizer: PreTrainedTokenizerFast, paragraphs: Iterator[str]) -> Iterator[list[int]]:
    """Paragraphs as token ids, end to end, cut into windows of equal length."""
    rest: list[int] = []
    while True:
        for ids in tokenizer(list(islice(paragraphs, 256)))["input_ids"]:
            rest += [*ids, tokenizer.eos_token_id]
        while len(rest) >= WINDOW:
            yield rest[:WINDOW]
            rest = rest[WINDOW:]


def pretrain(
    model: Phi3ForCausalLM, examples: Iterator[list[int]], steps: int, batch: int = 8, peak: float = 4e-3
) -> None:
    """Learn to continue the prose, in place; prints a line every fiftieth step.

    Args:
        model: changed in place.
        examples: token ids, all of one length.
        steps: optimiser steps; 0 leaves the random weights.
        batch: examples a step.
        peak: learning rate, after a warm-up of 5 % of the steps and before a linear decay in the last 30 %.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.95), weight_decay=0.05)
    started = time.monotonic()
    model.train()
    for step in range(1, steps + 1):
        rate = peak * min(1.0, step / max(1, steps // 20), max(0.02, (steps - step) / (0.3 * steps)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids = torch.tensor(list(islice(examples, batch)))
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step % 50 == 0 or step == steps:
            speed = step * batch * WINDOW / (time.monotonic() - started)
            where = f"pre-training step {step}/{steps}"
            print(f"{where} loss {loss.item():.3f} lr {rate:.1e} {speed:,.0f} tokens/s", flush=True)
    model.eval()
