"""From the address of an asset or a path to the files behind it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.store import Document, Store
from azureml_local.registry import catalogue
from azureml_local.settings import Settings
from azureml_local.storage.addresses import (
    ASSET,
    DATASTORE,
    JOB,
    PATH_FIELDS,
    REGISTRY,
    REMOTE,
    RUN,
    RUN_ARTIFACTS,
    RUN_OUTPUT,
    SHORT,
    artifact_prefix,
    bare,
    blob_url,
    long_form,
    output_uri,
)
from azureml_local.storage.files import ACCOUNT_HOST, Files


class Uris:
    """Finds the files behind addresses."""

    def __init__(self, store: Store, files: Files, settings: Settings) -> None:
        self._store, self._files, self._settings = store, files, settings

    def canonical(self, uri: str) -> str:
        """An address as it is stored: paths of datastores and jobs in the long form, others unchanged."""
        if match := JOB.fullmatch(uri):
            return long_form(self._of_job(match["job"], match["output"], match["path"]))
        if match := RUN.fullmatch(uri):
            return long_form(self._of_job(match["job"], RUN_ARTIFACTS, match["path"]))
        return long_form(uri)

    def resolve(self, uri: str) -> Path:
        """The local file or folder behind any address; what a datastore path names need not exist yet.

        Raises:
            ArmError: 404 if the asset, datastore or container does not exist; 400 if the form is not known.
        """
        uri = bare(uri)
        if uri.startswith(REMOTE):
            return self._by_url(uri)
        if JOB.fullmatch(uri) or RUN.fullmatch(uri):
            return self.resolve(self.canonical(uri))
        if match := DATASTORE.fullmatch(uri):
            return self._in_datastore(match["store"], match["path"])
        if match := REGISTRY.fullmatch(uri):
            return self._in_registry(match["kind"], match["name"], match["version"])
        if match := ASSET.search(uri):
            return self._asset(match["kind"], match["name"], match["version"])
        if match := SHORT.fullmatch(uri):
            return self._by_name(match["name"], match["version"])
        raise ArmError(
            400, "UserError", f"The address {uri!r} is of no form that Azure ML knows.", target=uri
        )

    def address(self, uri: str) -> str:
        """Where the bytes are that an address means: an asset's own address, in the long form.

        Raises:
            ArmError: 404 for a short name that no data asset and no model has.
        """
        uri = bare(uri)
        if uri.startswith(REMOTE):
            return uri
        if match := REGISTRY.fullmatch(uri):
            published = self._store.get(f"registry/{match['kind']}", f"{match['name']}/{match['version']}")
            own = published["properties"].get(PATH_FIELDS.get(match["kind"], "")) if published else None
            return str(own or uri)
        if (match := ASSET.search(uri)) and match["kind"] in PATH_FIELDS:
            document = self._store.get(match["kind"], f"{match['name']}/{match['version']}")
            return str(document["properties"][PATH_FIELDS[match["kind"]]]) if document else uri
        if match := SHORT.fullmatch(uri):
            kind, document = self._named(match["name"], match["version"])
            return str(document["properties"][PATH_FIELDS[kind]])
        return self.canonical(uri)

    def is_remote(self, uri: str) -> bool:
        """Whether an address leads to another machine than this service's own storage."""
        place = self.address(uri)
        return place.startswith(REMOTE) and self._own_path(place) is None

    def default_datastore(self) -> str:
        """Name of the workspace's default datastore."""
        for document in self._store.list("datastores"):
            if document["properties"].get("isDefault"):
                return document.key
        return "workspaceblobstore"

    def _of_job(self, job: str, output: str, path: str) -> str:
        """Datastore path of a job's output: where the job says that it writes, else where it would by default."""
        run = self._store.get("runs", job)
        known = (run["outputs"].get(output) if run else None) or {}
        if output == RUN_ARTIFACTS or (output == "default" and not known):
            prefix = f"{artifact_prefix(job)}/{path}".rstrip("/")
            return f"azureml://datastores/workspaceartifactstore/paths/{prefix}"
        if not known.get("uri"):
            return output_uri(job, output, path)
        return f"{known['uri'].rstrip('/')}/{path}" if path else str(known["uri"])

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
        # Names of blobs stand in these addresses as they are; those who escape them nevertheless are understood.
        file, unescaped = self._files.path(container, path), self._files.path(container, unquote(path))
        return unescaped if not file.exists() and unescaped.exists() else file

    def _in_registry(self, kind: str, name: str, version: str) -> Path:
        published = self._store.get(f"registry/{kind}", f"{name}/{version}")
        if published is not None and kind in PATH_FIELDS:
            return self._by_url(published["properties"][PATH_FIELDS[kind]])
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
        if document is None and kind == "data" and (match := RUN_OUTPUT.fullmatch(name)):
            return self.resolve(self._of_job(match["job"], match["output"], ""))
        if document is None:
            raise ArmError(
                404,
                "ResourceNotFound",
                f"{name}:{version} was not found in {kind} of the workspace.",
                target=name,
            )
        if kind not in PATH_FIELDS:
            raise ArmError(400, "UserError", f"{kind}/{name} has no files.", target=name)
        return self.resolve(document["properties"][PATH_FIELDS[kind]])

    def _by_name(self, name: str, version: str | None) -> Path:
        kind, document = self._named(name, version)
        return self._asset(kind, name, document.key.split("/", 1)[1])

    def _named(self, name: str, version: str | None) -> tuple[str, Document]:
        """Kind and document of a data asset or model; the newest version that is not archived if none is given."""
        for kind in ("data", "models"):
            known = self._store.list(kind, f"{name}/")
            for document in reversed(known):
                newest = version is None and not document["properties"].get("isArchived")
                if newest or document.key == f"{name}/{version}":
                    return kind, document
        asset = f"{name}:{version}" if version else name
        raise ArmError(
            404,
            "ResourceNotFound",
            f"{asset} was not found among data and models of the workspace.",
            target=name,
        )

    def _by_url(self, url: str) -> Path:
        path = self._own_path(url)
        if not path:
            raise ArmError(
                400, "UserError", f"The address {url!r} is not in the workspace's storage.", target=url
            )
        container, _, name = path.partition("/")
        return self._files.path(container, name)

    def _own_path(self, url: str) -> str | None:
        """``<container>/<blob>`` of an address in this service's storage; None for one that is elsewhere."""
        parts = urlsplit(blob_url(url))
        path = unquote(parts.path).strip("/")
        if parts.netloc == ACCOUNT_HOST:
            return path
        if f"{parts.scheme}://{parts.netloc}" != self._files.base_url:
            return None
        return path.removeprefix(f"{ACCOUNT_HOST}/")
