"""The registry's catalogue: YAML files of components, models, environments and VM sizes.

Components are in Azure ML's component schema; ``code`` is a folder relative to the file. Models are in Azure
ML's model schema with two fields more: ``system_metadata``, and ``path``, which is ``standin`` (the stand-in
model of this service) or a folder of weights, relative to the file. A file may hold several documents.

``AZUREML_LOCAL_CATALOGUE`` names more folders of the same layout, with ``:`` between; a document there takes
the place of one with the same name and version here.
"""

from __future__ import annotations

import copy
import os
from functools import cache
from pathlib import Path
from typing import Any

from azureml_local.arm.grammar import ArmError
from azureml_local.settings import Settings

FOLDER = Path(__file__).parent
Json = dict[str, Any]


@cache
def _documents(kind: str) -> list[tuple[Json, Path]]:
    """Every document of a kind with its file, oldest version first."""
    import yaml  # not with the start; so in each module that reads YAML

    versions = {
        (str(document["name"]), _order(str(document["version"]))): (document, file)
        for folder in _folders()
        for file in sorted((folder / kind).rglob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
        if document
    }
    return [versions[key] for key in sorted(versions)]


def _folders() -> list[Path]:
    """This folder, and those that the environment adds; later ones win."""
    added = os.environ.get("AZUREML_LOCAL_CATALOGUE", "")
    return [FOLDER, *(Path(folder).resolve() for folder in added.split(os.pathsep) if folder)]


def _order(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in version.split("."))


def documents(kind: str) -> list[Json]:
    """The documents of ``components``, ``models`` or ``environments``, oldest version of each name first."""
    return [copy.deepcopy(document) for document, _ in _documents(kind)]


def _find(kind: str, name: str, version: str | None) -> tuple[Json, Path]:
    known = [item for item in _documents(kind) if item[0]["name"] == name]
    for document, file in reversed(known):
        if str(document["version"]) == version or (version is None and not document.get("isArchived")):
            return document, file
    there = ", ".join(str(document["version"]) for document, _ in known) or "none"
    what = f"{name} version {version}" if version else name
    raise ArmError(
        404,
        "ResourceNotFound",
        f"{what} was not found in {kind} of the registry; versions there: {there}.",
        target=name,
    )


def component(name: str, version: str | None = None) -> Json:
    """A component's definition; the newest version that is not archived, if none is given.

    Raises:
        ArmError: 404 if there is none, naming the versions there are.
    """
    return copy.deepcopy(_find("components", name, version)[0])


def component_code(name: str, version: str) -> Path:
    """Folder of a command component's code; ArmError 404 if there is no such component, or it has no code."""
    document, file = _find("components", name, version)
    if "code" not in document:
        raise ArmError(
            404, "ResourceNotFound", f"Component {name} version {version} has no code.", target=name
        )
    return (file.parent / str(document["code"])).resolve()


def models() -> list[Json]:
    """Every version of every model."""
    return documents("models")


def model(name: str, version: str | None = None) -> Json:
    """A model's description; the newest version that is not archived, if none is given.

    Raises:
        ArmError: 404 if there is none, naming the versions there are.
    """
    return copy.deepcopy(_find("models", name, version)[0])


def model_folder(settings: Settings, name: str, version: str) -> Path:
    """Folder of a model's weights, in MLflow layout.

    Args:
        settings: know the stand-in's folder, and whether the first job makes it.
        name: name of the model.
        version: its version.

    Raises:
        ArmError: 404 if there is no such model, or its weights are neither on this machine nor made by it.
    """
    document, file = _find("models", name, version)
    path = str(document.get("path", "standin"))
    folder = settings.standin if path == "standin" else (file.parent / path).resolve()
    if not folder.is_dir() and not (path == "standin" and settings.makes(folder)):
        cure = (
            f"make it with: python -m azureml_local.worker.standin --out {folder}"
            if path == "standin"
            else "put the weights there, or change the catalogue"
        )
        raise ArmError(
            404,
            "ResourceNotFound",
            f"The weights of {name} version {version} are not at {folder}: {cure}.",
            target=name,
        )
    return folder
