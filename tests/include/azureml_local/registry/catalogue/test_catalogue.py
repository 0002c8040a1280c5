"""The catalogue's components have the public registry's interface, its models both forms of metadata."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[5]
CATALOGUE = ROOT / "include/azureml_local/registry/catalogue"
ASSETS = ROOT.parent / "shared/azureml/assets/HEAD_4b41f8cc/assets"
REFERENCE = ASSETS / "training/finetune_acft_hf_nlp/components"
COMPARED = {
    "chat_completion_pipeline": "pipeline_components/chat_completion",
    "ft_nlp_common_validation": "validation/common",
    "chat_completion_model_import": "model_import/chat_completion",
    "chat_completion_datapreprocess": "preprocess/chat_completion",
    "chat_completion_finetune": "finetune/chat_completion",
    "ft_nlp_model_converter": "model_converter/common",
}


def component(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((CATALOGUE / "components" / f"{name}.yaml").read_text()))


def models() -> dict[str, dict[str, Any]]:
    text = (CATALOGUE / "models/phi-3-mini-4k-instruct.yaml").read_text()
    return {str(document["version"]): document for document in yaml.safe_load_all(text)}


def interface(ports: dict[str, Any]) -> dict[str, Any]:
    """Ports without their descriptions; a number's default as a number, since YAML reads 1e-8 as text."""
    return {
        name: {
            key: float(value) if key == "default" and port["type"] == "number" else value
            for key, value in port.items()
            if key != "description"
        }
        for name, port in ports.items()
    }


@pytest.mark.parametrize("name", COMPARED)
def test_a_component_has_the_interface_of_the_public_one(name: str) -> None:
    if not REFERENCE.is_dir():
        pytest.skip("The public registry's definitions are not at hand beside the project.")
    ours = component(name)
    theirs = yaml.safe_load((REFERENCE / COMPARED[name] / "spec.yaml").read_text())
    for key in ("name", "version", "type", "environment", "distribution", "jobs", "$schema"):
        assert ours.get(key) == theirs.get(key), key
    assert interface(ours["inputs"]) == interface(theirs["inputs"])
    assert interface(ours["outputs"]) == interface(theirs["outputs"])


@pytest.mark.parametrize("name", [name for name in COMPARED if name != "chat_completion_pipeline"])
def test_a_command_uses_every_input_and_output_once(name: str) -> None:
    spec = component(name)
    for kind in ("inputs", "outputs"):
        for port in spec[kind]:
            assert spec["command"].count(f"${{{{{kind}.{port}}}}}") == 1, port
    assert (CATALOGUE / "components" / spec["code"]).is_dir()


def test_the_pipeline_names_only_inputs_and_components_that_there_are() -> None:
    pipeline = component("chat_completion_pipeline")
    for node in pipeline["jobs"].values():
        _, name, version = node["component"].split(":")
        child = component(name)
        assert child["version"] == version
        assert set(node["inputs"]) <= set(child["inputs"])
        for value in node["inputs"].values():
            if "parent.inputs." in value:
                assert value.removeprefix("${{parent.inputs.").removesuffix("}}") in pipeline["inputs"]


def test_the_newest_usable_model_is_the_local_stand_in() -> None:
    usable = [version for version, document in models().items() if not document.get("isArchived")]
    assert usable[-1] == "16"
    assert "stand-in" in models()["16"]["description"]
    assert models()["15"]["isArchived"] is True


def test_the_old_form_has_its_lists_in_tags_and_the_new_one_in_system_metadata() -> None:
    old, new = models()["12"], models()["16"]
    allowed = ast.literal_eval(str(old["tags"]["finetune_compute_allow_list"]))
    assert allowed == new["system_metadata"]["supportedComputes"]["finetuneComputes"]
    assert allowed == new["system_metadata"]["SKU"]["finetuneRecommendedSkus"]
    assert "finetune_compute_allow_list" not in new["tags"]


@pytest.mark.parametrize("version", ["12", "16"])
def test_model_specific_defaults_are_inputs_of_the_pipeline(version: str) -> None:
    """The walkthrough hands them all to the component; the archived version 15 has two more, as the public one."""
    known = set(component("chat_completion_pipeline")["inputs"])
    defaults = json.loads(json.dumps(models()[version]["tags"]["model_specific_defaults"]))
    assert set(defaults) <= known


@pytest.mark.parametrize("version", ["12", "16"])
def test_a_usable_model_names_the_machines_for_it_where_scripts_look(version: str) -> None:
    properties = models()[version]["properties"]
    assert "Standard_NC24ads_A100_v4" in properties["finetune-recommended-sku"].split(", ")
    assert properties["finetune-min-sku-spec"] == "24|1|220|64"
