"""Blobs written: whole, in blocks, their metadata, and copies."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import defusedxml
import defusedxml.ElementTree
from fastapi import APIRouter, Request
from fastapi.responses import Response

from azureml_local.arm.grammar import ArmError
from azureml_local.engine import sas
from azureml_local.routing import title
from azureml_local.storage import http
from azureml_local.storage.files import ACCOUNT_HOST, Files, FilesDep, check_name
from azureml_local.storage.http import BLOB, BlobError, BlobRoute, Blobs, BlobsDep, no_container

router = APIRouter(route_class=BlobRoute, tags=title(__doc__))


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


def _metadata(request: Request) -> dict[str, str]:
    return {
        name[len("x-ms-meta-") :]: value
        for name, value in request.headers.items()
        if name.startswith("x-ms-meta-")
    }


@asynccontextmanager
async def _received(request: Request, folder: Path) -> AsyncIterator[tuple[Path, str]]:
    """The request's body as a file in ``folder``, gone afterwards, and its MD5 in base64."""
    folder.mkdir(parents=True, exist_ok=True)
    part, md5 = folder / f"part-{os.urandom(8).hex()}", _md5()
    try:
        with part.open("wb") as stream:
            async for chunk in request.stream():
                md5.update(chunk)
                stream.write(chunk)
        declared, actual = request.headers.get("Content-MD5"), base64.b64encode(md5.digest()).decode()
        if declared and declared != actual:
            raise BlobError(
                400, "Md5Mismatch", "The MD5 value in the request did not match the one of the body."
            )
        yield part, actual
    finally:
        part.unlink(missing_ok=True)


def _facts(request: Request, file: Path, md5: str) -> dict[str, Any]:
    """What is known of a blob that a request has just written."""
    headers = request.headers
    return {
        "type": headers.get("x-ms-blob-content-type")
        or headers.get("Content-Type")
        or "application/octet-stream",
        "md5": headers.get("x-ms-blob-content-md5") or md5,
        "etag": http.etag(file),
        "metadata": _metadata(request),
    }


def _created(file: Path, md5: str = "") -> Response:
    headers = {
        "ETag": http.etag(file),
        "Last-Modified": formatdate(file.stat().st_mtime, usegmt=True),
        "x-ms-version": sas.VERSION,
        "x-ms-request-server-encrypted": "true",
    }
    return Response(status_code=201, headers=headers | ({"Content-MD5": md5} if md5 else {}))


@dataclass(frozen=True)
class _Target:
    """The blob that a request writes."""

    blobs: Blobs
    files: Files
    container: str
    path: str

    @property
    def file(self) -> Path:
        return self.files.path(self.container, self.path)

    @property
    def blocks(self) -> Path:
        """Folder of the blocks that are not yet a blob."""
        return self.files.path(self.container, f".blocks/{hashlib.sha256(self.path.encode()).hexdigest()}")

    def set_facts(self, facts: dict[str, Any]) -> None:
        self.blobs.set_facts(self.container, self.path, facts)

    def admit(self, request: Request) -> None:
        """Refuse a write that is not allowed now; asked again when its body is there, as time has passed."""
        self.blobs.authorize_write(request, self.container, self.path)
        http.conditions(request, http.etag(self.file) if self.file.is_file() else None)

    def make_room(self) -> None:
        """Make the folder of the blob; BlobError 501 where a folder and a blob would have one name."""
        try:
            if self.file.is_dir():
                raise FileExistsError
            self.file.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            message = (
                f"A blob and a folder have the name {self.path!r} or a part of it, which is not served here."
            )
            raise BlobError(501, "NotImplemented", message) from error


@router.put(BLOB)
async def put(container: str, path: str, request: Request, blobs: BlobsDep, files: FilesDep) -> Response:
    """Put a block blob, one block, a list of blocks, metadata, or a copy."""
    action = request.query_params.get("comp", "copy" if "x-ms-copy-source" in request.headers else "blob")
    if action not in _ACTIONS:
        raise BlobError(501, "NotImplemented", f"The local Blob storage does not serve comp={action}.")
    if action == "metadata":
        blobs.authorize(request, container, path, "w")
    target = _Target(blobs, files, container, path)
    target.admit(request)
    check_name(path)
    if not files.path(container).is_dir():
        raise no_container(container)
    return await _ACTIONS[action](target, request)


async def _put_blob(target: _Target, request: Request) -> Response:
    target.make_room()
    async with _received(request, target.blocks.parent) as (part, md5):
        target.admit(request)
        target.make_room()
        part.replace(target.file)
    target.set_facts(_facts(request, target.file, md5))
    return _created(target.file, md5)


async def _put_block(target: _Target, request: Request) -> Response:
    if "x-ms-copy-source" in request.headers:
        raise BlobError(501, "NotImplemented", "The local Blob storage does not serve Put Block From URL.")
    block = target.blocks / hashlib.sha256(request.query_params.get("blockid", "").encode()).hexdigest()
    async with _received(request, target.blocks) as (part, md5):
        part.replace(block)
    return _created(block, md5)


def _listed(body: bytes) -> list[str]:
    """The block ids of a ``BlockList`` document."""
    try:
        return [node.text or "" for node in defusedxml.ElementTree.fromstring(body)]
    except (ElementTree.ParseError, defusedxml.DefusedXmlException) as error:
        raise BlobError(400, "InvalidXmlDocument", f"The block list is no usable XML: {error}.") from error


async def _put_blocklist(target: _Target, request: Request) -> Response:
    folder = target.blocks
    parts = [folder / hashlib.sha256(block.encode()).hexdigest() for block in _listed(await request.body())]
    if not all(part.is_file() for part in parts):
        raise BlobError(
            400, "InvalidBlockList", "The specified block list is invalid: a block was never put."
        )
    target.make_room()
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f"whole-{os.urandom(8).hex()}"
    md5 = await asyncio.to_thread(_join, parts, whole)
    target.admit(request)
    target.make_room()
    whole.replace(target.file)
    shutil.rmtree(folder, ignore_errors=True)
    target.set_facts(_facts(request, target.file, md5))
    return _created(target.file)


def _join(parts: list[Path], whole: Path) -> str:
    """Write the blocks one after another into a file; its MD5 in base64."""
    with whole.open("wb") as stream:
        for part in parts:
            with part.open("rb") as block:
                shutil.copyfileobj(block, stream, 1 << 20)
    with whole.open("rb") as stream:
        return base64.b64encode(hashlib.file_digest(stream, _md5).digest()).decode()


async def _put_metadata(target: _Target, request: Request) -> Response:
    file = target.blobs.file(target.container, target.path)
    target.set_facts({**target.blobs.facts(target.container, target.path), "metadata": _metadata(request)})
    created = _created(file)
    created.status_code = 200
    return created


async def _copy(target: _Target, request: Request) -> Response:
    source = urlsplit(request.headers["x-ms-copy-source"])
    host, _, tail = unquote(source.path).strip("/").partition("/")
    container, _, path = tail.partition("/")
    if f"{source.scheme}://{source.netloc}" != target.files.base_url or host != ACCOUNT_HOST:
        raise BlobError(
            400, "CannotVerifyCopySource", f"The copy source is not in this account: {source.netloc}/{host}."
        )
    try:
        target.blobs.authorize_source(request, container, path, source.query)
    except ArmError as error:
        raise BlobError(403, "CannotVerifyCopySource", error.message) from error
    origin = target.blobs.file(container, path)
    target.make_room()
    target.blocks.parent.mkdir(exist_ok=True)
    part = target.blocks.parent / f"copy-{os.urandom(8).hex()}"
    try:
        await asyncio.to_thread(shutil.copyfile, origin, part)
        target.admit(request)
        target.make_room()
        part.replace(target.file)
    finally:
        part.unlink(missing_ok=True)
    target.set_facts({**target.blobs.facts(container, path), "etag": http.etag(target.file)})
    answer = _created(target.file)
    answer.status_code = 202
    answer.headers.update({"x-ms-copy-id": os.urandom(16).hex(), "x-ms-copy-status": "success"})
    return answer


_ACTIONS: dict[str, Callable[[_Target, Request], Awaitable[Response]]] = {
    "blob": _put_blob,
    "block": _put_block,
    "blocklist": _put_blocklist,
    "metadata": _put_metadata,
    "copy": _copy,
}
