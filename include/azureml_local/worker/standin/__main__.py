"""``python -m azureml_local.worker.standin --out DIR`` makes the stand-in model."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from itertools import islice
from pathlib import Path

# Threads that wait must sleep: spinning ones starve every other process of the cores.
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", OMP_WAIT_POLICY="PASSIVE")

import torch

from azureml_local.worker.package import save
from azureml_local.worker.standin import corpus, model, tokenizer


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the local stand-in for Phi-3-mini-4k-instruct.")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the MLflow model; replaced if it exists"
    )
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same weights")
    parser.add_argument("--steps", type=int, default=600, help="pre-training steps; 0 leaves random weights")
    parser.add_argument("--tiny", action="store_true", help="two narrow layers: for tests")
    return parser.parse_args()


def main() -> None:
    """Train the tokenizer, pre-train the model, save both; the folder appears whole or not at all."""
    args = parse()
    started = time.monotonic()
    torch.set_num_threads(os.cpu_count() or 1)
    print(
        "Making the LOCAL STAND-IN for Phi-3-mini-4k-instruct: Phi-3's architecture in small, "
        "not Microsoft's weights.",
        flush=True,
    )
    words = tokenizer.train(islice(corpus.paragraphs(args.seed), 6000), model.CONTEXT)
    phi = model.build(words, model.TINY if args.tiny else model.Size(), args.seed)
    print(
        f"{phi.num_parameters():,} parameters, vocabulary of {len(words):,}, context of {model.CONTEXT:,}",
        flush=True,
    )
    model.pretrain(phi, model.windows(words, corpus.paragraphs(args.seed + 1)), args.steps)
    partial = args.out.with_name(args.out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    save(phi, words, partial, base_model_name="Phi-3-mini-4k-instruct", local_standin=True)
    shutil.rmtree(args.out, ignore_errors=True)
    partial.rename(args.out)
    print(f"Stand-in saved to {args.out} after {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
