"""The registry's models, components and environments through the SDK's registry client."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests.support.azureml_service import AzureMLLocal

MODEL = "Phi-3-mini-4k-instruct"
PIPELINE = "chat_completion_pipeline"


def test_latest_is_the_newest_version_that_is_not_archived(azureml_local: AzureMLLocal) -> None:
    models = azureml_local.registry_client().models
    latest = models.get(MODEL, label="latest")
    assert latest.version == "16"
    assert latest.id == f"azureml://registries/azureml/models/{MODEL}/versions/16"
    assert latest.type == "mlflow_model"
    assert [item.version for item in models.list(MODEL)] == ["16", "12"]
    assert MODEL in [item.name for item in models.list()]


def test_the_old_form_has_its_allow_lists_in_tags(azureml_local: AzureMLLocal) -> None:
    tags = azureml_local.registry_client().models.get(MODEL, version="12").tags
    assert "Standard_NC24ads_A100_v4" in ast.literal_eval(tags["finetune_compute_allow_list"])
    assert json.loads(tags["model_specific_defaults"])["apply_lora"] == "true"


def test_todays_form_has_them_in_system_metadata(azureml_local: AzureMLLocal) -> None:
    models = azureml_local.registry_client().models
    properties = models._get(MODEL, "16").properties
    assert (
        "Standard_NC24ads_A100_v4" in properties["system_metadata"]["supportedComputes"]["finetuneComputes"]
    )


def test_an_archived_version_is_still_read_by_its_number(azureml_local: AzureMLLocal) -> None:
    assert azureml_local.registry_client().models._get(MODEL, "15").properties["isArchived"] is True


def test_an_unknown_version_is_refused_with_those_there_are(azureml_local: AzureMLLocal) -> None:
    from azure.core.exceptions import ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError, match=r"versions of .*: 12, 15, 16"):
        azureml_local.registry_client().models.get(MODEL, version="99")


def test_an_unknown_model_has_no_latest(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.exceptions import ValidationException

    with pytest.raises(ValidationException, match="does not exist in registry"):
        azureml_local.registry_client().models.get("nobody", label="latest")


def test_an_unknown_registry_is_refused(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml import MLClient
    from azure.core.exceptions import ResourceNotFoundError
    from azure.identity import ManagedIdentityCredential

    with pytest.raises(ResourceNotFoundError, match="nobody"):
        MLClient(ManagedIdentityCredential(), registry_name="nobody")


@pytest.mark.parametrize(
    ("how", "end"),
    [
        ({"label": "latest"}, "versions/0.0.82"),
        ({"version": "0.0.82"}, "versions/0.0.82"),
        ({}, "labels/default"),
    ],
)
def test_the_pipeline_component_is_loaded_whole(
    azureml_local: AzureMLLocal, how: dict[str, str], end: str
) -> None:
    component = azureml_local.registry_client().components.get(PIPELINE, **how)
    assert component.id == f"azureml://registries/azureml/components/{PIPELINE}/{end}"
    assert component.type == "pipeline"
    assert len(component.inputs) == 69
    assert set(component.outputs) == {"pytorch_model_folder", "mlflow_model_folder"}
    assert component.inputs["apply_lora"].enum == ["true", "false"]
    assert component.inputs["num_nodes_finetune"].optional is True
    assert set(component.jobs) == {
        "ft_nlp_common_validation",
        "chat_completion_model_import",
        "chat_completion_datapreprocess",
        "chat_completion_finetune",
        "ft_nlp_model_converter",
    }


def test_a_step_component_names_its_environment(azureml_local: AzureMLLocal) -> None:
    client = azureml_local.registry_client()
    step = client.components.get("chat_completion_finetune", label="latest")
    assert step.type == "command"
    name, version = str(step.environment).split("/environments/")[1].split("/versions/")
    assert client.environments.get(name, version=version).image


def test_a_users_own_model_is_published_and_read_back(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    client = azureml_local.registry_client()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(b"\x01\x02")
    made = client.models.create_or_update(
        Model(name="mine", version="1", path=str(tmp_path / "weights"), type="custom_model")
    )
    assert made.id == "azureml://registries/azureml/models/mine/versions/1"
    client.models.download("mine", "1", download_path=str(tmp_path / "back"))
    assert [file.read_bytes() for file in (tmp_path / "back").rglob("w.bin")] == [b"\x01\x02"]


def test_the_registry_itself_is_found(azureml_local: AzureMLLocal) -> None:
    assert azureml_local.ml_client().registries.get("azureml").location == "eastus"
