"""Calls about what a registry holds: base models and components."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from azure_ml.errors import BadInput, NotFound
from azure_ml.hook import _sdk
from azure_ml.hook._translate import translated

if TYPE_CHECKING:
    from azure_ml.hook.client import AzureMLHook


@dataclass(frozen=True)
class RegistryModel:
    """A version of a base model.

    Attributes:
        id: its ``azureml://registries/...`` id.
        archived: whether its publisher has withdrawn it.
        fine_tune_vm_sizes: VM sizes on which it may be fine-tuned; ``None`` if the model does not say.
        inference_vm_sizes: VM sizes on which it may be deployed; ``None`` if the model does not say.
        defaults: training parameters that the publisher recommends.
    """

    name: str
    version: str
    id: str
    archived: bool
    fine_tune_vm_sizes: list[str] | None
    inference_vm_sizes: list[str] | None
    defaults: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Component:
    """A version of a pipeline component; ``inputs`` maps each input's name to its declaration."""

    name: str
    version: str
    id: str
    inputs: dict[str, dict[str, Any]]


def literal(value: Any) -> Any:
    """A tag's value: tags are text, and hold JSON or, in older versions, the ``repr`` of a Python value."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _names(value: Any) -> list[str] | None:
    found = literal(value)
    if isinstance(found, str):
        found = [part for part in (piece.strip() for piece in found.split(",")) if part]
    return [str(name) for name in found] if found else None


def _vm_sizes(purpose: str, properties: Mapping[str, Any]) -> list[str] | None:
    """The allow-list for ``finetune`` or ``inference``: system metadata first, then tags, then properties."""
    metadata = properties.get("systemMetadata") or properties.get("system_metadata") or {}
    metadata = literal(metadata) if isinstance(metadata, str) else metadata
    places = (
        (metadata.get("supportedComputes") or {}).get(f"{purpose}Computes"),
        (metadata.get("SKU") or metadata.get("sku") or {}).get(f"{purpose}RecommendedSkus"),
        (properties.get("tags") or {}).get(f"{purpose}_compute_allow_list"),
        (properties.get("properties") or {}).get(f"{purpose}-recommended-sku"),
    )
    return next((names for place in places if (names := _names(place))), None)


def read_model(name: str, version: str, raw: Mapping[str, Any]) -> RegistryModel:
    """A model version from the service's own answer.

    Args:
        name: of the model.
        version: of the model.
        raw: body of the version, ``{"id": ..., "properties": {...}}``.
    """
    properties = raw.get("properties") or {}
    metadata = properties.get("systemMetadata") or {}
    defaults = literal((properties.get("tags") or {}).get("model_specific_defaults"))
    if not isinstance(defaults, dict):
        defaults = metadata.get("modelSpecificDefaults") or {} if isinstance(metadata, dict) else {}
    return RegistryModel(
        name=name,
        version=version,
        id=str(raw["id"]),
        archived=bool(properties.get("isArchived")),
        fine_tune_vm_sizes=_vm_sizes("finetune", properties),
        inference_vm_sizes=_vm_sizes("inference", properties),
        defaults=dict(defaults),
    )


class Registry:
    """``hook.registry``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    @property
    def name(self) -> str:
        """The registry's name, from the connection."""
        return self._hook.settings.registry_name

    def model(self, name: str, version: str | None = None) -> RegistryModel:
        """A base model.

        Args:
            name: of the model.
            version: of the model; ``None`` for the newest that is not archived.

        Raises:
            NotFound: if the registry has no such model or version.
            BadInput: if the version, or every version, is archived.
        """
        if version is not None:
            return self._usable(name, version)
        versions = self._versions(name)
        for candidate in versions:
            if not (model := self._read(name, candidate)).archived:
                return model
        if versions:
            raise BadInput(
                f"All versions of the model {name!r} in the registry {self.name!r} are archived "
                f"({', '.join(versions)}): choose another model."
            )
        raise self._no_model(name)

    def component(self, name: str, version: str | None = None) -> Component:
        """A pipeline component and its inputs.

        Args:
            name: of the component.
            version: of the component; ``None`` for the newest. Components move: pin it once a run has worked.

        Raises:
            NotFound: if the registry has no such component or version.
        """
        which = {"version": version} if version else {"label": "latest"}
        with translated(
            f"read the component {name!r} version {version or 'latest'!r} in registry {self.name!r}"
        ):
            found = self._hook.registry_client.components.get(name, **which)
            return Component(
                name=str(found.name),
                version=str(found.version),
                id=str(found.id),
                inputs={key: dict(declared._to_dict()) for key, declared in found.inputs.items()},
            )

    def small_files(
        self, name: str, version: str, names: Collection[str], most: int = 64 << 20
    ) -> dict[str, bytes]:
        """Files of a model whose own names are among ``names``, wherever they are in it; none of its weights.

        Args:
            name: of the model.
            version: of the model.
            names: such as ``tokenizer.json``; of several files of a name, the one nearest to the top counts.
            most: bytes above which a file is passed over.
        """
        with translated(f"read small files of the model {name!r} version {version!r}"):
            container, folder = _sdk.registry_model_container(self._hook.registry_client, name, version)
            blobs = [(blob.name, blob.size) for blob in container.list_blobs(name_starts_with=folder)]
            paths = sorted((path for path, size in blobs if size <= most), key=lambda path: -path.count("/"))
            nearest = {own: path for path in paths if (own := path.rpartition("/")[2]) in names}
            return {own: bytes(container.download_blob(path).readall()) for own, path in nearest.items()}

    def _usable(self, name: str, version: str) -> RegistryModel:
        try:
            model = self._read(name, version)
        except NotFound:
            versions = self._versions(name)
            if not versions:
                raise self._no_model(name) from None
            raise NotFound(
                f"The registry {self.name!r} has no version {version!r} of the model {name!r}: "
                f"it has {', '.join(versions)}."
            ) from None
        if model.archived:
            raise BadInput(
                f"Version {version!r} of the model {name!r} in the registry {self.name!r} is archived: "
                f"choose another of {', '.join(self._versions(name))}, or leave it empty."
            )
        return model

    def _no_model(self, name: str) -> NotFound:
        return NotFound(
            f"The registry {self.name!r} has no model {name!r}: take a name from the model catalogue, "
            "for example 'Phi-3-mini-4k-instruct'."
        )

    def _versions(self, name: str) -> list[str]:
        """Newest first, as the service knows when each was made."""
        try:
            with translated(f"list the versions of the model {name!r} in registry {self.name!r}"):
                found = list(self._hook.registry_client.models.list(name))
        except NotFound:
            return []
        found.sort(
            key=lambda model: (str(model.creation_context.created_at), _number(model.version)), reverse=True
        )
        return [str(model.version) for model in found]

    def _read(self, name: str, version: str) -> RegistryModel:
        with translated(f"read the model {name!r} version {version!r} in registry {self.name!r}"):
            return read_model(
                name, version, _sdk.raw_model_version(self._hook.registry_client, name, version)
            )


def _number(version: Any) -> int:
    return int(version) if str(version).isdecimal() else 0
