"""The GPU benchmark's arithmetic, and that its step runs at a tiny size where there is no GPU."""

from __future__ import annotations

import re

import pytest

from tests.bench.lora_step import Cost, Shape, peak, token_cost, utilisation
from tests.support.compute_environment import COMPUTE, run_compute


def test_frozen_weights_cost_four_operations_a_token_and_trained_ones_six() -> None:
    assert token_cost(1000, 10, Shape(layers=0), length=8).whole == 4 * 1000 + 6 * 10


def test_attention_costs_what_its_two_products_do_forward_and_twice_that_backward() -> None:
    one_layer = token_cost(0, 0, Shape(hidden=64, layers=1), length=100)
    # A token meets 50 others on average: 50 x 64 multiplications and additions for scores, and for values.
    assert one_layer.attention == 3 * (2 * (2 * 50 * 64))


def test_a_device_that_did_all_it_can_would_have_a_utilisation_of_one() -> None:
    assert utilisation(Cost(2e9, 0), tokens_per_second=500, peak_tflops=1) == 1.0


@pytest.mark.parametrize(
    ("device", "tflops"), [("NVIDIA L40S", 362), ("NVIDIA L4", 121), ("NVIDIA A10G", 70), ("Abacus", None)]
)
def test_a_devices_peak_is_that_of_the_longest_name_that_fits(device: str, tflops: float | None) -> None:
    assert peak(device) == tflops


@pytest.mark.skipif(not COMPUTE.exists(), reason="the compute environment is not made")
def test_a_tiny_step_runs_without_a_gpu_and_counts_its_weights() -> None:
    step = run_compute(
        "-m", "tests.bench.lora_step", "--tiny-on-cpu", "--batch", "1", "--length", "16", "--steps", "1",
        "--peak-tflops", "1",
    )  # fmt: skip
    assert step.returncode == 0, step.stdout
    counted = re.search(r"CPU: ([\d,]+) weights, ([\d,]+) of them LoRA, 1 x 16 tokens", step.stdout)
    assert counted is not None, step.stdout
    # LoRA of rank 8: qkv, o, gate and up together, down, of two layers; lm_head is left out by peft.
    lora = 2 * 8 * ((32 + 96) + (32 + 32) + (32 + 128) + (64 + 32))
    layers = 2 * (32 * 96 + 32 * 32 + 32 * 128 + 64 * 32 + 2 * 32)
    assert [int(figure.replace(",", "")) for figure in counted.groups()] == [
        layers + 32 + 64 * 32 + lora,
        lora,
    ]
    assert re.search(r"[\d,]+ tokens/s, MFU \d+\.\d% of 1 TFLOP/s", step.stdout)


@pytest.mark.skipif(not COMPUTE.exists(), reason="the compute environment is not made")
def test_where_there_is_no_gpu_it_says_so() -> None:
    step = run_compute("-m", "tests.bench.lora_step", CUDA_VISIBLE_DEVICES="")
    assert step.returncode == 0, step.stdout
    assert "This machine has no CUDA device" in step.stdout
