"""A registry model's allow-lists and defaults, in every form that the registry has used."""

from __future__ import annotations

from typing import Any

import pytest

from azure_ml.hook.registry_models import literal, read_model

ALLOWED = ["Standard_NC24ads_A100_v4", "Standard_ND96asr_v4"]


def model(**properties: Any) -> Any:
    return read_model(
        "m", "1", {"id": "azureml://registries/azureml/models/m/versions/1", "properties": properties}
    )


@pytest.mark.parametrize(
    "properties",
    [
        {"tags": {"finetune_compute_allow_list": repr(ALLOWED)}},
        {"tags": {"finetune_compute_allow_list": '["Standard_NC24ads_A100_v4", "Standard_ND96asr_v4"]'}},
        {"properties": {"finetune-recommended-sku": "Standard_NC24ads_A100_v4, Standard_ND96asr_v4"}},
        {"systemMetadata": {"supportedComputes": {"finetuneComputes": ALLOWED}}},
        {"systemMetadata": {"SKU": {"finetuneRecommendedSkus": ALLOWED}}},
    ],
    ids=["tag, Python", "tag, JSON", "property", "system metadata", "system metadata, SKU"],
)
def test_the_allow_list_is_read_from_every_form(properties: dict[str, Any]) -> None:
    assert model(**properties).fine_tune_vm_sizes == ALLOWED


def test_a_model_without_a_list_says_so() -> None:
    found = model(tags={})
    assert found.fine_tune_vm_sizes is None
    assert found.inference_vm_sizes is None
    assert found.defaults == {}


@pytest.mark.parametrize(
    "text", ['{"precision": 16, "apply_lora": "true"}', "{'precision': 16, 'apply_lora': 'true'}"]
)
def test_defaults_are_read_as_json_and_as_python(text: str) -> None:
    assert model(tags={"model_specific_defaults": text}).defaults == {"precision": 16, "apply_lora": "true"}


def test_a_tag_that_is_neither_is_left_as_text() -> None:
    assert literal("mit") == "mit"
    assert literal("__import__('os').getcwd()") == "__import__('os').getcwd()"
