"""What every blob route needs: who may, where the file is, its headers, conditions and ranges.

Source of headers and codes: Azure Storage's REST API, service version 2021-12-02.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Coroutine, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from azureml_local.arm.grammar import ArmError
from azureml_local.engine import sas
from azureml_local.engine.identity import STORAGE, Identity
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Store
from azureml_local.routing import part
from azureml_local.storage.files import ACCOUNT_HOST, Files

# Route of a container.
CONTAINER = f"/{ACCOUNT_HOST}/{{container}}"
# Route of a blob.
BLOB = CONTAINER + "/{path:path}"


class BlobError(ArmError):
    """A refusal in Blob storage's form: an XML document and the code in ``x-ms-error-code``."""

    def response(self) -> Response:  # type: ignore[override]
        """The refusal as an HTTP answer."""
        root = ElementTree.Element("Error")
        ElementTree.SubElement(root, "Code").text = self.code
        ElementTree.SubElement(root, "Message").text = self.message
        body = b"" if self.status == 304 else ElementTree.tostring(root, "utf-8", xml_declaration=True)
        return Response(
            body, self.status, {**self.headers, "x-ms-error-code": self.code}, media_type="application/xml"
        )


class BlobRoute(APIRoute):
    """Refuses in Blob storage's form, whoever refuses."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, whose refusals are turned."""
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except BlobError:
                raise
            except ArmError as error:
                raise BlobError(error.status, error.code, error.message, headers=error.headers) from error

        return answer


class Blobs(Part):
    """What every blob route asks: who may, where the file is, and what is known of it besides its bytes."""

    def __init__(self, store: Store, files: Files, identity: Identity) -> None:
        self._store, self._files, self._identity = store, files, identity

    def authorize(self, request: Request, container: str, path: str, needed: str) -> None:
        """Refuse a request that neither a SAS with one of the ``needed`` permissions nor a token opens.

        Raises:
            ArmError: 401 or 403.
        """
        if "sig" in request.query_params:
            self._check_sas(request, container, path, request.query_params, needed)
        else:
            self._identity.require(request.headers.get("Authorization"), STORAGE)

    def authorize_source(self, request: Request, container: str, path: str, query: str) -> None:
        """Refuse a copy whose source may not be read: by the SAS in its address, or the token of the request.

        Raises:
            ArmError: 401 or 403.
        """
        given = dict(parse_qsl(query, keep_blank_values=True))
        if "sig" in given:
            self._check_sas(request, container, path, given, "r")
            return
        own = None if "sig" in request.query_params else request.headers.get("Authorization")
        self._identity.require(request.headers.get("x-ms-copy-source-authorization") or own, STORAGE)

    def _check_sas(
        self, request: Request, container: str, path: str, query: Mapping[str, str], needed: str
    ) -> None:
        client = request.client.host if request.client else ""
        sas.check(self._files.account_key, container, path, query, needed, client=client)

    def authorize_write(self, request: Request, container: str, path: str) -> None:
        """Refuse a request that may not write a blob; ``c`` alone writes only one that there is not yet.

        Raises:
            ArmError: 401 or 403.
        """
        exists = self._files.path(container, path).is_file()
        self.authorize(request, container, path, "w" if exists else "wc")

    def file(self, container: str, path: str) -> Path:
        """The local file of a blob; BlobError 404 ``BlobNotFound`` or ``ContainerNotFound``."""
        file = self._files.path(container, path)
        if file.is_file():
            return file
        if self._files.path(container).is_dir():
            raise BlobError(404, "BlobNotFound", f"The specified blob does not exist: {container}/{path}.")
        raise no_container(f"{container}/{path}")

    def facts(self, container: str, path: str) -> dict[str, Any]:
        """Content type, MD5 with the ETag that it belongs to, and metadata; empty if nothing is known."""
        return self._store.get("blobs", f"{container}/{path}") or {}

    def set_facts(self, container: str, path: str, facts: dict[str, Any]) -> None:
        """Replace what :meth:`facts` answers."""
        self._store.put("blobs", f"{container}/{path}", facts)

    def delete_facts(self, container: str, path: str) -> None:
        """Know nothing of a blob any longer."""
        self._store.delete("blobs", f"{container}/{path}")

    def delete_below(self, container: str, folder: str) -> None:
        """Delete a folder of blobs with all that is known of them."""
        for document in self._store.list("blobs", f"{container}/{folder}/"):
            self._store.delete("blobs", document.key)
        shutil.rmtree(self._files.path(container, folder), ignore_errors=True)

    def headers(self, container: str, path: str, file: Path) -> dict[str, str]:
        """What a blob's answer carries besides its bytes."""
        facts = self.facts(container, path)
        fields = {
            "ETag": etag(file),
            "Last-Modified": formatdate(file.stat().st_mtime, usegmt=True),
            "Accept-Ranges": "bytes",
            "Content-Type": facts.get("type", "application/octet-stream"),
            "x-ms-blob-type": facts.get("kind", "BlockBlob"),
            "x-ms-lease-status": "unlocked",
            "x-ms-lease-state": "available",
            "x-ms-server-encrypted": "true",
            "x-ms-version": sas.VERSION,
            # A blob is whatever somebody put there, at an address that pages of this service share.
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        # The sum was taken when the blob was put; a file that a job has written since has none.
        if facts.get("etag") == fields["ETag"]:
            fields["Content-MD5"] = facts["md5"]
        return fields | {f"x-ms-meta-{name}": value for name, value in facts.get("metadata", {}).items()}


BlobsDep = Annotated[Blobs, part(Blobs)]


def no_container(name: str) -> BlobError:
    """404 for a container that does not exist."""
    return BlobError(404, "ContainerNotFound", f"The specified container does not exist: {name}.")


def check_component(request: Request, *known: str) -> None:
    """Refuse what is asked of a blob or container by a ``comp`` that is not served; BlobError 501."""
    asked = request.query_params.get("comp", "")
    if asked not in known:
        raise BlobError(
            501, "NotImplemented", f"The local Blob storage does not serve {request.method} comp={asked}."
        )


def etag(file: Path) -> str:
    """The ETag of a file as it is now."""
    status = file.stat()
    return f'"0x{status.st_mtime_ns:X}{status.st_size:X}"'


def conditions(request: Request, current: str | None) -> None:
    """Refuse by ``If-Match`` and ``If-None-Match``; ``current`` is its ETag, None where there is no blob.

    Raises:
        BlobError: 304 for a read, 409 or 412 for a write.
    """
    match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
    if match and (current is None or match not in ("*", current)):
        raise BlobError(412, "ConditionNotMet", "The condition given in If-Match was not met.")
    if none_match and current is not None and none_match in ("*", current):
        if request.method in ("GET", "HEAD"):
            raise BlobError(304, "ConditionNotMet", "Not modified.", headers={"ETag": current})
        code = (409, "BlobAlreadyExists") if none_match == "*" else (412, "ConditionNotMet")
        raise BlobError(*code, "The condition given in If-None-Match was not met.")


def span(request: Request, size: int) -> tuple[int, int] | None:
    """First and last byte that the request asks for; None for the whole blob.

    Raises:
        BlobError: 416 if the blob is not so long.
    """
    text = request.headers.get("x-ms-range") or request.headers.get("Range")
    if not text:
        return None
    match = re.fullmatch(r"bytes=([0-9]{1,18})-([0-9]{0,18})", text)
    if not match or int(match[1]) >= size or int(match[2] or size) < int(match[1]):
        raise BlobError(
            416,
            "InvalidRange",
            f"The range {text!r} is not in a blob of {size} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return int(match[1]), min(int(match[2] or size - 1), size - 1)
