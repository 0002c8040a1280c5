"""The stand-in model's script."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from tests.support.compute_environment import run_compute


def test_the_same_seed_makes_the_same_weights_and_tokenizer(tiny_model: Path, tmp_path: Path) -> None:
    made = run_compute(
        "-m", "azureml_local.worker.standin", "--out", str(tmp_path / "again"), "--tiny", "--steps", "0"
    )
    assert made.returncode == 0, made.stdout
    assert "LOCAL STAND-IN for Phi-3-mini-4k-instruct" in made.stdout
    for file in ("data/model/model.safetensors", "data/tokenizer/tokenizer.json"):
        first, second = ((folder / file).read_bytes() for folder in (tiny_model, tmp_path / "again"))
        assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest(), file


def test_the_folder_is_laid_out_like_the_registrys(tiny_model: Path) -> None:
    described = yaml.safe_load((tiny_model / "MLmodel").read_text())
    assert described["flavors"]["hftransformersv2"]["task_type"] == "chat-completion"
    assert described["metadata"]["local_standin"] is True
    template = (tiny_model / "data/tokenizer/chat_template.jinja").read_text()
    for marker in ("<|assistant|>", "<|end|>", "{% generation %}"):
        assert marker in template
