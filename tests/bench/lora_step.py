"""``<compute environment>/python -m tests.bench.lora_step``: a LoRA step of a whole Phi-3-mini on a GPU.

Weights are random, for speed does not depend on them. Tells tokens a second and the model FLOPs utilisation
(MFU): of the arithmetic that the step cannot do without, the share of what the GPU could do at most.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Final, NamedTuple

PEAK_TFLOPS: Final = {
    "H200": 989.0, "H100": 989.0, "H800": 989.0, "A100": 312.0, "A800": 312.0, "L40S": 362.0,
    "L4": 121.0, "A10G": 70.0, "A10": 125.0, "V100": 125.0, "T4": 65.0,
}  # fmt: skip
"""Dense half-precision TFLOP/s by a part of the device's name, from the makers' data sheets (SXM forms)."""


class Shape(NamedTuple):
    """Width and depth of a Phi-3; the defaults are those of Phi-3-mini-4k-instruct (3.8 billion parameters)."""

    hidden: int = 3072
    inner: int = 8192
    layers: int = 32
    heads: int = 32
    vocabulary: int = 32064


class Cost(NamedTuple):
    """Floating-point operations of one token in a training step."""

    weights: float
    attention: float

    @property
    def whole(self) -> float:
        """Both together."""
        return self.weights + self.attention


def token_cost(frozen: int, trained: int, shape: Shape, length: int) -> Cost:
    """What a token costs, forward and backward, without anything computed twice.

    Args:
        frozen: weights in matrices that are not trained, embeddings left out: they are looked up. 2 operations
            forward, 2 backward for the gradient of the input; none for a gradient of their own.
        trained: LoRA's weights: 2 forward, 4 backward.
        shape: of the model.
        length: tokens of a sequence; each attends to half of them on average, as the mask is causal.
    """
    attention = 3 * 2 * 2 * shape.layers * shape.hidden * length / 2
    return Cost(4.0 * frozen + 6.0 * trained, attention)


def utilisation(cost: Cost, tokens_per_second: float, peak_tflops: float) -> float:
    """MFU as a share from 0 to 1."""
    return cost.whole * tokens_per_second / (peak_tflops * 1e12)


def peak(device: str) -> float | None:
    """TFLOP/s of a device, None for one that is not in the table; the longest name that fits is it."""
    known = [name for name in PEAK_TFLOPS if name in device]
    return PEAK_TFLOPS[max(known, key=len)] if known else None


def build(shape: Shape, device: str, rank: int) -> tuple[Any, int, int]:
    """The model with LoRA beside every linear layer, in bf16 on a GPU; its frozen and trained weights."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import Phi3Config, Phi3ForCausalLM

    config = Phi3Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        tie_word_embeddings=False,
        pad_token_id=0,
        use_cache=False,
    )
    with torch.device(device):
        torch.set_default_dtype(torch.bfloat16 if device == "cuda" else torch.float32)
        base = Phi3ForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=rank, target_modules="all-linear"))
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    frozen = base.num_parameters() - trained - shape.vocabulary * shape.hidden
    return model.to(device), frozen, trained


def seconds_a_step(model: Any, shape: Shape, device: str, *, batch: int, length: int, steps: int) -> float:
    """Mean time of an optimiser step, after two that warm up."""
    import torch

    optimizer = torch.optim.AdamW((w for w in model.parameters() if w.requires_grad), lr=1e-4)
    ids = torch.randint(0, shape.vocabulary, (batch, length), device=device)
    model.train()
    started = 0.0
    for step in range(steps + 2):
        if step == 2:
            _wait(device)
            started = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    _wait(device)
    return (time.perf_counter() - started) / steps


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def report(shape: Shape, device: str, given: argparse.Namespace) -> str:
    """Build, step, and say how fast it went."""
    import torch

    model, frozen, trained = build(shape, device, rank=8)
    took = seconds_a_step(model, shape, device, batch=given.batch, length=given.length, steps=given.steps)
    speed = given.batch * given.length / took
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    most, cost = given.peak_tflops or peak(name), token_cost(frozen, trained, shape, given.length)
    what = f"{frozen + trained:,} weights, {trained:,} of them LoRA, {given.batch} x {given.length} tokens"
    mfu = f"MFU {utilisation(cost, speed, most):.1%} of {most:,.0f} TFLOP/s" if most else "MFU unknown"
    return f"{name}: {what}: {took:.3f} s a step, {speed:,.0f} tokens/s, {mfu}"


def main() -> int:
    """Run on the GPU if there is one; say so if there is none."""
    import torch

    parser = argparse.ArgumentParser(description="A LoRA step of a randomly initialised Phi-3-mini.")
    parser.add_argument("--batch", type=int, default=8, help="sequences a step")
    parser.add_argument("--length", type=int, default=1024, help="tokens of a sequence")
    parser.add_argument("--steps", type=int, default=10, help="steps that are timed")
    parser.add_argument("--peak-tflops", type=float, help="what the device can do; known devices need none")
    parser.add_argument("--tiny-on-cpu", action="store_true", help="two narrow layers, without a GPU: a test")
    given = parser.parse_args()
    if given.tiny_on_cpu:
        print(report(Shape(hidden=32, inner=64, layers=2, heads=2, vocabulary=64), "cpu", given), flush=True)
    elif torch.cuda.is_available():
        print(report(Shape(), "cuda", given), flush=True)
    else:
        print("This machine has no CUDA device: the LoRA step of Phi-3-mini was not run.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
