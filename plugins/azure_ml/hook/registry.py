"""Base models and components of a registry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure_ml.errors import BadInput, NotFound
from azure_ml.hook import _sdk
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients
from azure_ml.hook.registry_models import RegistryModel, read_model

if TYPE_CHECKING:
    from azure.ai.ml import entities


@dataclass(frozen=True)
class Component:
    """A version of a pipeline component."""

    name: str
    version: str
    id: str
    inputs: dict[str, dict[str, Any]]  # each input's declaration, by the input's name


class Registry:
    """``hook.registry``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @property
    def name(self) -> str:
        """The registry's name, from the connection."""
        return self._clients.settings.registry_name

    def check(self) -> str:
        """The registry's name; raises :class:`NotFound` if there is no such registry."""
        _ = self._clients.registry_client
        return self.name

    def model(self, name: str, version: str | None = None) -> RegistryModel:
        """A base model, by default its newest version; raises :class:`BadInput` for one that is archived."""
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

    # Components move: pin the version once a run has worked.
    def component(self, name: str, version: str | None = None) -> Component:
        """A pipeline component and its inputs; by default the newest version."""
        which = {"version": version} if version else {"label": "latest"}
        with translated(
            f"read the component {name!r} version {version or 'latest'!r} in registry {self.name!r}"
        ):
            entity = self._clients.registry_client.components.get(name, **which)
            return Component(
                name=str(entity.name),
                version=str(entity.version),
                id=str(entity.id),
                inputs={key: dict(declared._to_dict()) for key, declared in entity.inputs.items()},
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
            container, folder = _sdk.registry_model_container(self._clients.registry_client, name, version)
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
        """Newest first, by the time at which the service created them."""
        try:
            with translated(f"list the versions of the model {name!r} in registry {self.name!r}"):
                models = list(self._clients.registry_client.models.list(name))
        except NotFound:
            return []
        models.sort(key=_age, reverse=True)
        return [str(model.version) for model in models]

    def _read(self, name: str, version: str) -> RegistryModel:
        with translated(f"read the model {name!r} version {version!r} in registry {self.name!r}"):
            raw = _sdk.raw_model_version(self._clients.registry_client, name, version)
            return read_model(name, version, raw)


def _age(model: entities.Model) -> tuple[str, int]:
    version = str(model.version)
    return str(model.creation_context.created_at), int(version) if version.isdecimal() else 0
