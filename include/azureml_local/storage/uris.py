"""From the address of an asset or a path to the files behind it.

The forms are those that the SDK writes and the service answers: datastore paths (short and long), job
outputs, asset names, ARM ids, ``azureml://locations/...`` and registry ids.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from azureml_local.arm.grammar import ArmError
from azureml_local.registry import catalogue
from azureml_local.settings import RESOURCE_GROUP, SUBSCRIPTION_ID, WORKSPACE
from azureml_local.storage import files

if TYPE_CHECKING:
    from azureml_local.service import Service

_WORKSPACE = (
    r"subscriptions/[^/]+/resource[gG]roups/[^/]+/"
    r"(?:providers/Microsoft\.MachineLearningServices/)?workspaces/[^/]+/"
)
_DATASTORE = re.compile(rf"azureml://(?:{_WORKSPACE})?datastores/(?P<store>[^/]+)(?:/paths)?/(?P<path>.*)")
_JOB = re.compile(
    rf"azureml://(?:{_WORKSPACE})?jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths)?/?(?P<path>.*)"
)
_REGISTRY = re.compile(
    r"azureml://registries/(?P<registry>[^/]+)/(?P<kind>\w+)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)"
)
_ASSET = re.compile(
    r"/(?P<kind>models|data|codes|environments|components)/(?P<name>[^/]+)/versions/(?P<version>[^/]+)$"
)
_SHORT = re.compile(r"azureml:(?P<name>[^/:@]+)(?::(?P<version>[^/]+)|@(?P<label>\w+))$")
_PATH_FIELDS = {"models": "modelUri", "data": "dataUri", "codes": "codeUri"}


def long_uri(datastore: str, path: str) -> str:
    """The full address of a datastore path, as the service answers it."""
    return (
        f"azureml://subscriptions/{SUBSCRIPTION_ID}/resourcegroups/{RESOURCE_GROUP}"
        f"/workspaces/{WORKSPACE}/datastores/{datastore}/paths/{path}"
    )


def output_uri(job: str, output: str, path: str = "") -> str:
    """Short address of a job's named output."""
    return f"azureml://datastores/workspaceblobstore/paths/azureml/{job}/{output}/{path}"


def model_key(uri: str) -> str | None:
    """``<name>/<version>`` of a model of the workspace, None for an address of anything else."""
    found = _ASSET.search(uri) if not uri.startswith("azureml://registries/") else None
    found = found or _SHORT.fullmatch(uri)
    return f"{found['name']}/{found['version']}" if found and found["version"] else None


def canonical(local: Service, uri: str) -> str:
    """An address as it is stored: datastore paths and job outputs in the long form, others unchanged."""
    if found := _JOB.fullmatch(uri):
        return long_uri("workspaceblobstore", f"azureml/{found['job']}/{found['output']}/{found['path']}")
    if found := _DATASTORE.fullmatch(uri):
        return long_uri(found["store"], found["path"])
    return uri


def job_of(uri: str) -> str | None:
    """Name of the job whose output an address is, if it is one."""
    found = _JOB.fullmatch(uri)
    return found["job"] if found else None


def resolve(local: Service, uri: str) -> Path:
    """The local file or folder behind any address; what a datastore path names need not exist yet.

    Raises:
        ArmError: 404 if the asset, datastore or container does not exist; 400 if the form is not known.
    """
    if found := _JOB.fullmatch(uri):
        return resolve(local, output_uri(found["job"], found["output"], found["path"]))
    if found := _DATASTORE.fullmatch(uri):
        return _in_datastore(local, found["store"], found["path"])
    if found := _REGISTRY.fullmatch(uri):
        return _in_registry(local, found["kind"], found["name"], found["version"])
    if found := _ASSET.search(uri):
        return _asset(local, found["kind"], found["name"], found["version"])
    if found := _SHORT.fullmatch(uri):
        return _by_name(local, found["name"], found["version"])
    if uri.startswith(("https://", "wasbs://")):
        return _by_url(local, uri)
    raise ArmError(400, "UserError", f"The address {uri!r} is of no form that Azure ML knows.", target=uri)


def _in_datastore(local: Service, name: str, path: str) -> Path:
    document = local.store.get("datastores", name)
    if document is None:
        raise ArmError(
            404, "ResourceNotFound", f"Datastore '{name}' was not found in the workspace.", target=name
        )
    container = document["properties"].get("containerName") or document["properties"].get("filesystem")
    if not container:
        raise ArmError(
            400, "UserError", f"Datastore '{name}' is no blob container: its paths cannot be read here."
        )
    return files.blob_path(local, container, unquote(path))


def _in_registry(local: Service, kind: str, name: str, version: str) -> Path:
    published = local.store.get(f"registry/{kind}", f"{name}/{version}")
    if published is not None and kind in _PATH_FIELDS:
        return _by_url(local, published["properties"][_PATH_FIELDS[kind]])
    if kind == "models":
        return catalogue.model_folder(local, name, version)
    if kind == "codes":
        return catalogue.component_code(name, version)
    raise ArmError(
        404, "ResourceNotFound", f"{kind}/{name} version {version} of the registry has no files.", target=name
    )


def _asset(local: Service, kind: str, name: str, version: str) -> Path:
    document = local.store.get(kind, f"{name}/{version}")
    if document is None:
        raise ArmError(
            404,
            "ResourceNotFound",
            f"{name}:{version} was not found in {kind} of the workspace.",
            target=name,
        )
    if kind not in _PATH_FIELDS:
        raise ArmError(400, "UserError", f"{kind}/{name} has no files.", target=name)
    return resolve(local, document["properties"][_PATH_FIELDS[kind]])


def _by_name(local: Service, name: str, version: str | None) -> Path:
    for kind in ("data", "models"):
        known = local.store.list(kind, f"{name}/")
        for document in reversed(known):
            if version is None or document.key == f"{name}/{version}":
                return _asset(local, kind, name, document.key.split("/", 1)[1])
    wanted = f"{name}:{version}" if version else name
    raise ArmError(
        404,
        "ResourceNotFound",
        f"{wanted} was not found among data and models of the workspace.",
        target=name,
    )


def _by_url(local: Service, url: str) -> Path:
    parts = unquote(urlsplit(url).path).strip("/").split("/")
    if parts and parts[0] == files.ACCOUNT_HOST:
        parts = parts[1:]
    if not url.startswith(local.settings.base_url) or not parts:
        raise ArmError(
            400, "UserError", f"The address {url!r} is not in the workspace's storage.", target=url
        )
    return files.blob_path(local, parts[0], "/".join(parts[1:]))


class Uris:
    """Finds the files behind addresses."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def resolve(self, uri: str) -> Path:
        """The local file or folder behind any address."""
        return resolve(self._service, uri)
