"""Choosing a base model and reading the component, from the local registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azure_ml.errors import BadInput, NotFound
from azure_ml.hook import AzureMLHook
from azure_ml.operators import AzureMLGetRegistryModelOperator
from include.finetune import parameters, recipe

MODEL = "Phi-3-mini-4k-instruct"


def choose(context: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    return AzureMLGetRegistryModelOperator(task_id="choose", **arguments).execute(context())


def test_the_newest_version_that_is_not_archived_is_chosen(
    connection: Any, context: Callable[..., Any]
) -> None:
    newest = choose(context, model_name=MODEL, model_version="None")
    assert int(newest["version"]) > 15
    assert newest["id"].endswith(f"/models/{MODEL}/versions/{newest['version']}")


def test_old_and_new_form_of_the_metadata_say_the_same(connection: Any, context: Callable[..., Any]) -> None:
    tags, metadata = (choose(context, model_name=MODEL, model_version=version) for version in ("12", "16"))
    for key in ("fine_tune_vm_sizes", "inference_vm_sizes"):
        assert sorted(tags[key]) == sorted(metadata[key])
    assert tags["defaults"]["precision"] == metadata["defaults"]["precision"] == 16


def test_an_unknown_model_is_refused(connection: Any, context: Callable[..., Any]) -> None:
    for version in (None, "1"):
        with pytest.raises(NotFound, match="registry 'azureml' has no model 'Phi-99'"):
            choose(context, model_name="Phi-99", model_version=version)


def test_an_unknown_version_is_refused_with_those_there_are(
    connection: Any, context: Callable[..., Any]
) -> None:
    with pytest.raises(NotFound, match=r"no version '99'.*it has 16, 12"):
        choose(context, model_name=MODEL, model_version="99")


def test_an_archived_version_is_refused(connection: Any, context: Callable[..., Any]) -> None:
    with pytest.raises(BadInput, match=r"Version '15'.*is archived: choose another of 16, 12"):
        choose(context, model_name=MODEL, model_version="15")


def test_the_components_inputs_are_known_with_their_types(hook: AzureMLHook) -> None:
    component = hook.registry.component(recipe.COMPONENT, recipe.COMPONENT_VERSION)
    assert component.version == recipe.COMPONENT_VERSION
    assert len(component.inputs) > 60
    assert component.inputs["lr_scheduler_type"]["enum"]
    resolved = parameters.for_component(component, {}, {"max_seq_length": 2048})
    assert resolved["parameters"]["max_seq_length"] == 2048
    assert resolved["sources"]["num_train_epochs"] == "recipe"


def test_an_unknown_component_is_named(hook: AzureMLHook) -> None:
    with pytest.raises(NotFound, match="the component 'nothing' version '1'"):
        hook.registry.component("nothing", "1")
