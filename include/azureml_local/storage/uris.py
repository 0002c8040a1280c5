"""From the address of an asset or a path to the files behind it.

The forms are those that the SDK writes and the service answers: datastore paths (short and long), job
outputs, asset names, ARM ids, ``azureml://locations/...`` and registry ids.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.store import Store
from azureml_local.registry import catalogue
from azureml_local.settings import RESOURCE_GROUP, SUBSCRIPTION_ID, WORKSPACE, Settings
from azureml_local.storage.files import ACCOUNT_HOST, Files

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
    match = _ASSET.search(uri) if not uri.startswith("azureml://registries/") else None
    match = match or _SHORT.fullmatch(uri)
    return f"{match['name']}/{match['version']}" if match and match["version"] else None


def canonical(uri: str) -> str:
    """An address as it is stored: datastore paths and job outputs in the long form, others unchanged."""
    if match := _JOB.fullmatch(uri):
        return long_uri("workspaceblobstore", f"azureml/{match['job']}/{match['output']}/{match['path']}")
    if match := _DATASTORE.fullmatch(uri):
        return long_uri(match["store"], match["path"])
    return uri


def job_of(uri: str) -> str | None:
    """Name of the job whose output an address is, if it is one."""
    match = _JOB.fullmatch(uri)
    return match["job"] if match else None


class Uris:
    """Finds the files behind addresses."""

    def __init__(self, store: Store, files: Files, settings: Settings) -> None:
        self._store, self._files, self._settings = store, files, settings

    def resolve(self, uri: str) -> Path:
        """The local file or folder behind any address; what a datastore path names need not exist yet.

        Raises:
            ArmError: 404 if the asset, datastore or container does not exist; 400 if the form is not known.
        """
        if match := _JOB.fullmatch(uri):
            return self.resolve(output_uri(match["job"], match["output"], match["path"]))
        if match := _DATASTORE.fullmatch(uri):
            return self._in_datastore(match["store"], match["path"])
        if match := _REGISTRY.fullmatch(uri):
            return self._in_registry(match["kind"], match["name"], match["version"])
        if match := _ASSET.search(uri):
            return self._asset(match["kind"], match["name"], match["version"])
        if match := _SHORT.fullmatch(uri):
            return self._by_name(match["name"], match["version"])
        if uri.startswith(("https://", "wasbs://")):
            return self._by_url(uri)
        raise ArmError(
            400, "UserError", f"The address {uri!r} is of no form that Azure ML knows.", target=uri
        )

    def _in_datastore(self, name: str, path: str) -> Path:
        document = self._store.get("datastores", name)
        if document is None:
            raise ArmError(
                404, "ResourceNotFound", f"Datastore '{name}' was not found in the workspace.", target=name
            )
        container = document["properties"].get("containerName") or document["properties"].get("filesystem")
        if not container:
            raise ArmError(
                400, "UserError", f"Datastore '{name}' is no blob container: its paths cannot be read here."
            )
        return self._files.path(container, unquote(path))

    def _in_registry(self, kind: str, name: str, version: str) -> Path:
        published = self._store.get(f"registry/{kind}", f"{name}/{version}")
        if published is not None and kind in _PATH_FIELDS:
            return self._by_url(published["properties"][_PATH_FIELDS[kind]])
        if kind == "models":
            return catalogue.model_folder(self._settings, name, version)
        if kind == "codes":
            return catalogue.component_code(name, version)
        raise ArmError(
            404,
            "ResourceNotFound",
            f"{kind}/{name} version {version} of the registry has no files.",
            target=name,
        )

    def _asset(self, kind: str, name: str, version: str) -> Path:
        document = self._store.get(kind, f"{name}/{version}")
        if document is None:
            raise ArmError(
                404,
                "ResourceNotFound",
                f"{name}:{version} was not found in {kind} of the workspace.",
                target=name,
            )
        if kind not in _PATH_FIELDS:
            raise ArmError(400, "UserError", f"{kind}/{name} has no files.", target=name)
        return self.resolve(document["properties"][_PATH_FIELDS[kind]])

    def _by_name(self, name: str, version: str | None) -> Path:
        for kind in ("data", "models"):
            known = self._store.list(kind, f"{name}/")
            for document in reversed(known):
                if version is None or document.key == f"{name}/{version}":
                    return self._asset(kind, name, document.key.split("/", 1)[1])
        asset = f"{name}:{version}" if version else name
        raise ArmError(
            404,
            "ResourceNotFound",
            f"{asset} was not found among data and models of the workspace.",
            target=name,
        )

    def _by_url(self, url: str) -> Path:
        parts = unquote(urlsplit(url).path).strip("/").split("/")
        if parts and parts[0] == ACCOUNT_HOST:
            parts = parts[1:]
        if not url.startswith(self._files.base_url) or not parts:
            raise ArmError(
                400, "UserError", f"The address {url!r} is not in the workspace's storage.", target=url
            )
        return self._files.path(parts[0], "/".join(parts[1:]))
