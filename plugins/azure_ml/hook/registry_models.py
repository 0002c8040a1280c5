"""What a base model of a registry says about itself, in every form that the registry has used."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from azure_ml.bounds import TEXT
from azure_ml.errors import MalformedAnswer


@dataclass(frozen=True)
class RegistryModel:
    """A version of a base model."""

    name: str
    version: str
    id: str  # azureml://registries/...
    archived: bool  # withdrawn by its publisher
    fine_tune_vm_sizes: list[str] | None  # allowed for fine-tuning; None: the model does not say
    inference_vm_sizes: list[str] | None  # allowed for deployment; None: the model does not say
    defaults: dict[str, object] = field(default_factory=dict)  # the publisher's training parameters


def read_model(name: str, version: str, raw: Mapping[str, object]) -> RegistryModel:
    """A model version from the service's own answer, ``{"id": ..., "properties": {...}}``."""
    properties = _mapping(raw.get("properties"))
    metadata = _mapping(properties.get("systemMetadata"))
    defaults = literal(_mapping(properties.get("tags")).get("model_specific_defaults"))
    if not isinstance(defaults, dict):
        defaults = _mapping(metadata.get("modelSpecificDefaults"))
    # Cut, they would be other parameters.
    if (length := len(str(defaults))) > TEXT:
        raise MalformedAnswer(
            f"The defaults of the model {name!r} {version} have {length} characters: choose another."
        )
    return RegistryModel(
        name=name,
        version=version,
        id=str(raw["id"]),
        archived=bool(properties.get("isArchived")),
        fine_tune_vm_sizes=_vm_sizes("finetune", properties),
        inference_vm_sizes=_vm_sizes("inference", properties),
        defaults=dict(defaults),
    )


def literal(value: object) -> object:
    """A tag's value: tags are text, and hold JSON or, in older versions, the ``repr`` of a Python value."""
    if not isinstance(value, str):
        return value
    for parse in (json.loads, ast.literal_eval):
        try:
            parsed: object = parse(value)
        except (ValueError, SyntaxError):
            continue
        return parsed
    return value


def _vm_sizes(purpose: str, properties: Mapping[str, object]) -> list[str] | None:
    """The allow-list for ``finetune`` or ``inference``: system metadata first, then tags, then properties."""
    metadata = _mapping(literal(properties.get("systemMetadata") or properties.get("system_metadata")))
    places = (
        _mapping(metadata.get("supportedComputes")).get(f"{purpose}Computes"),
        _mapping(metadata.get("SKU") or metadata.get("sku")).get(f"{purpose}RecommendedSkus"),
        _mapping(properties.get("tags")).get(f"{purpose}_compute_allow_list"),
        _mapping(properties.get("properties")).get(f"{purpose}-recommended-sku"),
    )
    return next((names for place in places if (names := _names(place))), None)


def _names(value: object) -> list[str] | None:
    names = literal(value)
    if isinstance(names, str):
        names = [part for part in (piece.strip() for piece in names.split(",")) if part]
    return [str(name) for name in names] if names and isinstance(names, (list, tuple, set)) else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
