"""Component definitions, wherever they are kept, and the check of what a caller gives them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azureml_local.arm.grammar import ArmError, Json, not_found
from azureml_local.assets.components import RUN, kind_of
from azureml_local.assets.noun import DEFAULT_LABEL, version_of
from azureml_local.engine.store import Document, Store
from azureml_local.registry import catalogue
from azureml_local.settings import REGISTRY
from azureml_local.storage.uris import Uris

_REGISTRY_ID = re.compile(
    r"(?:azureml:)?azureml://registries/([^/]+)/components/([^/]+)/(?:versions|labels)/([^/]+)/?$", re.I
)
_WORKSPACE_ID = re.compile(r"(?:azureml:)?.*/components/([^/]+)/(?:versions|labels)/([^/]+)/?$", re.I)
_SHORT_ID = re.compile(r"azureml:([^:/@]+)[:@]([^:/]+)$")

# Labels of the newest version that is not archived.
_NEWEST = (DEFAULT_LABEL, "latest")

ASSET_TYPES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model", "path")
_HAS_ADDRESS = re.compile(r"azureml:|runs:/|/|\w+://")


@dataclass(frozen=True)
class Component:
    """A definition and its origin."""

    id: str
    # The definition in the component schema (``inputs``, ``outputs``, ``command`` or ``jobs``).
    spec: Json
    # Whether short names inside it mean components of the registry.
    registry: bool
    # Folder of its code on disk, None if it has none.
    code: Path | None
    # Whether it came with the service, whose steps train in one process on however many machines.
    catalogued: bool = False

    @property
    def inputs(self) -> dict[str, Json]:
        """Its declared inputs by name."""
        return dict(self.spec.get("inputs") or {})

    @property
    def outputs(self) -> dict[str, Json]:
        """Its declared outputs by name."""
        return dict(self.spec.get("outputs") or {})


class Definitions:
    """Finds components in the workspace and in the registry."""

    def __init__(self, store: Store, uris: Uris) -> None:
        self._store, self._uris = store, uris

    def load(self, component_id: str, *, in_registry: bool = False) -> Component:
        """Find a component by any form of its id.

        Args:
            component_id: registry id, ARM id, or ``azureml:<name>:<version>``.
            in_registry: what the short form means.

        Raises:
            ArmError: 404 if there is none, 400 if the id has no known form, 501 for a type that no job runs.
        """
        component = self._find(component_id, in_registry=in_registry)
        if (kind := kind_of(component.spec)) not in RUN:
            raise ArmError(
                501,
                "NotImplemented",
                f"{component.id} is of type {kind!r}: jobs run components of type {' and '.join(RUN)}.",
            )
        return component

    def _find(self, component_id: str, *, in_registry: bool) -> Component:
        if match := _REGISTRY_ID.match(component_id):
            if match[1] != REGISTRY:
                raise not_found("The registry", match[1], "this cloud")
            return self._from_registry(match[2], match[3])
        if match := _SHORT_ID.match(component_id):
            return (
                self._from_registry(match[1], match[2])
                if in_registry
                else self._from_workspace(match[1], match[2])
            )
        if match := _WORKSPACE_ID.match(component_id):
            return self._from_workspace(match[1], match[2])
        raise ArmError(400, "UserError", f"{component_id!r} is no component id.", target="componentId")

    def _from_workspace(self, name: str, version: str) -> Component:
        if version in _NEWEST:
            known = self._store.list("components", f"{name}/")
            document = next((one for one in reversed(known) if not one["properties"]["isArchived"]), None)
        else:
            document = self._store.get("components", f"{name}/{version}")
        if document is None:
            raise not_found("The component", f"{name}:{version}", "the workspace")
        version = version_of(document)
        spec = document["properties"]["componentSpec"]
        code = self.code_folder(spec.get("code"))
        return Component(f"azureml:{name}:{version}", spec, False, code)

    def _from_registry(self, name: str, version: str) -> Component:
        """What a user published is found before the catalogue's; ``latest`` is the newest of both."""
        published = self._published(name, version)
        if published is None:
            return _from_catalogue(name, version)
        spec = published["properties"]["componentSpec"]
        number = published.key.split("/", 1)[1]
        return Component(_registry_id(name, number), spec, True, self.code_folder(spec.get("code")))

    def _published(self, name: str, version: str) -> Document | None:
        if version not in _NEWEST:
            return self._store.get("registry/components", f"{name}/{version}")
        known = self._store.list("registry/components", f"{name}/")
        active = [one for one in known if not one["properties"].get("isArchived")]
        return active[-1] if active else None

    def code_folder(self, code_id: str | None) -> Path | None:
        """Folder of uploaded code, None if there is none; ArmError 404 if the code asset does not exist."""
        return self._uris.resolve(code_id) if code_id else None


def _registry_id(name: str, version: str) -> str:
    return f"azureml://registries/{REGISTRY}/components/{name}/versions/{version}"


def _from_catalogue(name: str, version: str) -> Component:
    spec = catalogue.component(name, None if version in _NEWEST else version)
    version = str(spec["version"])
    code = catalogue.component_code(name, version) if "command" in spec else None
    return Component(_registry_id(name, version), spec, True, code, catalogued=True)


def check_inputs(component: Component, given: dict[str, Any], where: str) -> None:
    """Refuse inputs that the component does not take, lacks, or cannot read.

    Args:
        component: the definition.
        given: values by name: a string is a literal, None is unset, anything else passes as an asset.
        where: the node or job, for the message.

    Raises:
        ArmError: 400 naming the first input that is wrong.
    """
    declared = component.inputs
    for name in given:
        if name not in declared:
            raise _refused(
                where, name, f"is not an input of component {component.id}; it takes {_listed(declared)}"
            )
    for name, spec in declared.items():
        value = given.get(name)
        if value is None:
            if not _is_true(spec.get("optional")) and spec.get("default") is None:
                raise _refused(where, name, f"is required by component {component.id} and was not given")
        elif isinstance(value, str):
            _check_literal(spec, value, where, name)


def _check_literal(spec: Json, value: str, where: str, name: str) -> None:
    kind = str(spec.get("type", "string")).lower()
    choices = [str(choice) for choice in spec.get("enum") or []]
    if choices and value not in choices:
        raise _refused(where, name, f"is {value!r}, which is none of {', '.join(choices)}")
    if kind == "boolean" and value.lower() not in ("true", "false"):
        raise _refused(where, name, f"is {value!r}, which is no boolean: give true or false")
    if kind in ("integer", "number"):
        try:
            number = int(value) if kind == "integer" else float(value)
        except ValueError as error:
            raise _refused(where, name, f"is {value!r}, which is no {kind}") from error
        low, high = spec.get("min"), spec.get("max")
        if (low is not None and number < float(low)) or (high is not None and number > float(high)):
            raise _refused(where, name, f"is {value!r}, which lies outside {low} to {high}")
    if kind in ASSET_TYPES and not _HAS_ADDRESS.match(value):
        raise _refused(where, name, f"is {value!r}, but an asset of type {kind} is needed")


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _listed(names: dict[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"


def _refused(where: str, name: str, why: str) -> ArmError:
    return ArmError(400, "UserError", f"Input {name!r} of {where} {why}.", target=name)
