"""What the registry holds: the catalogue's assets, and those that users have published, in one form.

Published assets are in the store under ``registry/<plural>``; the catalogue's are made into documents of the
same shape.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azureml_local.arm import grammar
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.assets import codes, components, data, environments, models, rules
from azureml_local.engine.store import Document
from azureml_local.registry import catalogue
from azureml_local.settings import REGISTRY, RESOURCE_GROUP, SUBSCRIPTION_ID
from azureml_local.storage import files

if TYPE_CHECKING:
    from azureml_local.service import Service

NOUNS = {
    noun.plural: replace(noun, plural=f"registry/{noun.plural}")
    for noun in (models.NOUN, data.NOUN, components.NOUN, environments.NOUN, codes.NOUN)
}
"""The kinds of assets that a registry holds, by path segment."""
ARM_ID = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}"
    f"/providers/{grammar.PROVIDER}/registries/{REGISTRY}"
)
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def noun(plural: str) -> rules.Noun:
    """The kind of that path segment.

    Raises:
        ArmError: 501 for one that is not served.
    """
    if plural not in NOUNS:
        raise ArmError(
            501, "NotImplemented", f"The local registry has no {plural!r}: use one of {', '.join(NOUNS)}."
        )
    return NOUNS[plural]


def asset_id(plural: str, name: str, version: str) -> str:
    """The id by which an asset of the registry is used everywhere."""
    return f"azureml://registries/{REGISTRY}/{plural}/{name}/versions/{version}"


def names(local: Service, plural: str) -> list[str]:
    """Every name of a kind, in order."""
    listed = {document["name"] for document in catalogue.documents(plural)}
    return sorted(listed | {document.key for document in local.store.list(noun(plural).containers)})


def versions(local: Service, plural: str, name: str) -> list[Document]:
    """All versions of a name, oldest first: the catalogue's, then the published."""
    from_catalogue = [
        _document(local, plural, described, place)
        for place, described in enumerate(catalogue.documents(plural))
        if described["name"] == name
    ]
    return from_catalogue + rules.versions(local, noun(plural).plural, name)


def find(local: Service, plural: str, name: str, version: str) -> Document:
    """One version.

    Raises:
        ArmError: 404, naming the versions there are.
    """
    known = versions(local, plural, name)
    for document in reversed(known):
        wanted = not document["properties"]["isArchived"] if version == rules.DEFAULT_VERSION else False
        if wanted or document.key == f"{name}/{version}":
            return document
    there = ", ".join(item.key.split("/", 1)[1] for item in known) or "none"
    raise ArmError(
        404,
        "ResourceNotFound",
        f"{noun(plural).what} {name}:{version} is not in registry {REGISTRY}; versions of {name}: {there}.",
        target=name,
    )


def body(plural: str, document: Document) -> Json:
    """A version as the registry's data plane sends it (2021-10-01-dataplanepreview)."""
    name, version = document.key.split("/", 1)
    properties = {**document["properties"], "provisioningState": "Succeeded"}
    for field in {"modelUri", "dataUri", "codeUri"} & set(properties):
        # Without the account's segment: the SDK takes an address's first segment for the container.
        properties[field] = properties[field].replace(f"/{files.ACCOUNT_HOST}/", "/")
    sent = grammar.envelope(
        f"{ARM_ID}/{plural}/{name}/versions/{version}",
        properties,
        created=document.created,
        modified=document.modified,
    )
    return sent | {"id": asset_id(plural, name, version)}


def container_body(local: Service, plural: str, name: str) -> Json:
    """A container with its latest and next version.

    Raises:
        ArmError: 404 if there is no asset of that name.
    """
    known = versions(local, plural, name)
    if not known:
        raise grammar.not_found(noun(plural).what, name, f"registry {REGISTRY}")
    active = [item for item in known if not item["properties"]["isArchived"]] or known
    tails = [item.key.split("/", 1)[1] for item in known]
    latest = active[-1]
    properties = {
        "description": latest["properties"].get("description"),
        "tags": {},
        "properties": {},
        "isArchived": all(item["properties"]["isArchived"] for item in known),
        "latestVersion": latest.key.split("/", 1)[1],
        "nextVersion": str(max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1),
        "provisioningState": "Succeeded",
    }
    sent = grammar.envelope(
        f"{ARM_ID}/{plural}/{name}", properties, created=known[0].created, modified=latest.modified
    )
    return sent | {"id": f"azureml://registries/{REGISTRY}/{plural}/{name}"}


def _document(local: Service, plural: str, described: Json, place: int) -> Document:
    properties = {
        "description": described.get("description"),
        "tags": _texts(described.get("tags") or {}),
        "properties": _texts(described.get("properties") or {}),
        "isArchived": bool(described.get("isArchived")),
        "isAnonymous": False,
    }
    own = {"models": _model, "components": _component, "environments": _environment}[plural]
    document = Document({"properties": properties | own(local, described)})
    document.key = f"{described['name']}/{described['version']}"
    created = str(
        described.get("created") or (_FIRST_DAY + timedelta(days=place)).isoformat().replace("+00:00", "Z")
    )
    document.created = document.modified = created
    return document


def _texts(values: Json) -> dict[str, str]:
    """Tags are text on the wire: dictionaries as JSON, lists as Python writes them."""
    return {
        key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in values.items()
    }


def _model(local: Service, described: Json) -> Json:
    name, version = described["name"], str(described["version"])
    own: Json = {
        "modelUri": files.blob_url(local, files.REGISTRY_CONTAINER, f"models/{name}/{version}"),
        "modelType": described.get("type", "mlflow_model"),
        "flavors": _flavors(local, name, version),
        "jobName": None,
        "originAssetId": None,
    }
    if metadata := described.get("system_metadata"):
        # Undeclared in the contract. The SDK writes it in snake case; readers look for either spelling.
        own |= {"system_metadata": metadata, "systemMetadata": metadata}
    return own


def _flavors(local: Service, name: str, version: str) -> Json:
    import yaml

    try:
        file = catalogue.model_folder(local, name, version) / "MLmodel"
        listed: dict[str, Any] = yaml.safe_load(file.read_text())["flavors"]
    except (ArmError, OSError, KeyError):
        return {}
    return {flavor: {"data": _texts(fields or {})} for flavor, fields in listed.items()}


def _component(local: Service, described: Json) -> Json:
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


def _environment(local: Service, described: Json) -> Json:
    return {
        "image": described.get("image"),
        "condaFile": described.get("conda_file"),
        "osType": described.get("os_type", "Linux").capitalize(),
        "environmentType": "Curated",
    }
