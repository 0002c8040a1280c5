"""The catalogue's assets as documents, in the form of those that users publish."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.engine.store import Document
from azureml_local.registry import catalogue
from azureml_local.settings import REGISTRY, Settings
from azureml_local.storage.files import REGISTRY_CONTAINER, Files

_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def asset_id(plural: str, name: str, version: str) -> str:
    """The id by which an asset of the registry is used everywhere."""
    return f"azureml://registries/{REGISTRY}/{plural}/{name}/versions/{version}"


class Catalogued:
    """Makes the documents; a model's flavours come from its weights."""

    def __init__(self, files: Files, settings: Settings) -> None:
        self._files, self._settings = files, settings

    def versions(self, plural: str, name: str) -> list[Document]:
        """All versions of a name, oldest first."""
        return [
            self._document(plural, described, place)
            for place, described in enumerate(catalogue.documents(plural))
            if described["name"] == name
        ]

    def _document(self, plural: str, described: Json, place: int) -> Document:
        """A document of the catalogue in the form of a stored one."""
        properties = {
            "description": described.get("description"),
            "tags": _texts(described.get("tags") or {}),
            "properties": _texts(described.get("properties") or {}),
            "isArchived": bool(described.get("isArchived")),
            "isAnonymous": False,
        }
        own = {"models": self._model, "components": _component, "environments": _environment}[plural]
        document = Document({"properties": properties | own(described)})
        document.key = f"{described['name']}/{described['version']}"
        first = (_FIRST_DAY + timedelta(days=place)).isoformat().replace("+00:00", "Z")
        document.created = document.modified = str(described.get("created") or first)
        return document

    def _model(self, described: Json) -> Json:
        name, version = described["name"], str(described["version"])
        own: Json = {
            "modelUri": self._files.url(REGISTRY_CONTAINER, f"models/{name}/{version}"),
            "modelType": described.get("type", "mlflow_model"),
            "flavors": self._flavors(name, version),
            "jobName": None,
            "originAssetId": None,
        }
        if metadata := described.get("system_metadata"):
            # Undeclared in the contract. The SDK writes it in snake case; readers look for either spelling.
            own |= {"system_metadata": metadata, "systemMetadata": metadata}
        return own

    def _flavors(self, name: str, version: str) -> Json:
        import yaml

        try:
            file = catalogue.model_folder(self._settings, name, version) / "MLmodel"
            listed: dict[str, Any] = yaml.safe_load(file.read_text())["flavors"]
        except (ArmError, OSError, KeyError):
            return {}
        return {flavor: {"data": _texts(fields or {})} for flavor, fields in listed.items()}


def _texts(values: Json) -> dict[str, str]:
    """Tags are text on the wire: dictionaries as JSON, lists as Python writes them."""
    return {
        key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in values.items()
    }


def _component(described: Json) -> Json:
    spec = {key: value for key, value in described.items() if key not in ("created", "isArchived", "jobs")}
    spec["version"] = str(spec["version"])
    if "code" in spec:
        spec["code"] = "azureml:" + asset_id("codes", str(spec["name"]), spec["version"])
    if "jobs" in described:
        spec["jobs"] = {node: _node(job) for node, job in described["jobs"].items()}
    return {"componentSpec": spec}


def _node(job: Json) -> Json:
    """A step of a pipeline component as the service sends it: bindings as literals, components by full id."""
    sent = {
        key: value for key, value in job.items() if key not in ("component", "compute", "inputs", "outputs")
    }
    short = str(job["component"]).removeprefix("azureml:")
    if not short.startswith("//"):
        name, _, version = short.partition(":")
        short = asset_id("components", name, version).removeprefix("azureml:")
    inputs = {
        key: {"job_input_type": "literal", "value": str(value)}
        for key, value in (job.get("inputs") or {}).items()
    }
    outputs = {
        key: {"type": "literal", "value": str(value)} for key, value in (job.get("outputs") or {}).items()
    }
    return sent | {
        "componentId": f"azureml:{short}",
        "computeId": job.get("compute"),
        "inputs": inputs,
        "outputs": outputs,
    }


def _environment(described: Json) -> Json:
    return {
        "image": described.get("image"),
        "condaFile": described.get("conda_file"),
        "osType": described.get("os_type", "Linux").capitalize(),
        "environmentType": "Curated",
    }
