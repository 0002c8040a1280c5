"""Blobs written: whole, in blocks, their metadata, and copies."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import shutil
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import defusedxml
import defusedxml.ElementTree
from fastapi import APIRouter, Request
from fastapi.responses import Response

from azureml_local.engine import sas
from azureml_local.locator import ServiceDep
from azureml_local.service import Service
from azureml_local.storage import files, http
from azureml_local.storage.http import BLOB, BlobError

router = APIRouter()


def _metadata(request: Request) -> dict[str, str]:
    return {
        name[len("x-ms-meta-") :]: value
        for name, value in request.headers.items()
        if name.startswith("x-ms-meta-")
    }


async def _receive(request: Request, target: Path) -> str:
    """Write the request's body to a file; its MD5 in base64."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part, md5 = (
        target.with_name(f"{target.name}.part-{os.urandom(4).hex()}"),
        hashlib.md5(usedforsecurity=False),
    )
    try:
        with part.open("wb") as stream:
            async for chunk in request.stream():
                md5.update(chunk)
                stream.write(chunk)
        told, sum_ = request.headers.get("Content-MD5"), base64.b64encode(md5.digest()).decode()
        if told and told != sum_:
            raise BlobError(
                400, "Md5Mismatch", "The MD5 value in the request did not match the one of the body."
            )
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return sum_


def _remember(local: Service, container: str, path: str, file: Path, request: Request, md5: str) -> None:
    headers = request.headers
    facts = {
        "type": headers.get("x-ms-blob-content-type")
        or headers.get("Content-Type")
        or "application/octet-stream",
        "md5": headers.get("x-ms-blob-content-md5") or md5,
        "etag": http.etag(file),
        "metadata": _metadata(request),
    }
    local.store.put("blobs", f"{container}/{path}", facts)


def _blocks(local: Service, container: str, path: str) -> Path:
    name = hashlib.sha256(path.encode()).hexdigest()
    return files.blob_path(local, container, f".blocks/{name}")


def _created(file: Path, md5: str = "") -> Response:
    headers = {
        "ETag": http.etag(file),
        "Last-Modified": formatdate(file.stat().st_mtime, usegmt=True),
        "x-ms-version": sas.VERSION,
        "x-ms-request-server-encrypted": "true",
    }
    return Response(status_code=201, headers=headers | ({"Content-MD5": md5} if md5 else {}))


@router.put(BLOB)
async def put(container: str, path: str, request: Request, local: ServiceDep) -> Response:
    """Put a block blob, one block, a list of blocks, metadata, or a copy."""
    action = request.query_params.get("comp", "copy" if "x-ms-copy-source" in request.headers else "blob")
    if action not in _ACTIONS:
        raise BlobError(501, "NotImplemented", f"The local Blob storage does not serve comp={action}.")
    http.authorize(local, request, container, path, "wc")
    if not files.blob_path(local, container).is_dir():
        raise BlobError(404, "ContainerNotFound", f"The specified container does not exist: {container}.")
    file = files.blob_path(local, container, path)
    if action != "block":
        http.conditions(request, http.etag(file) if file.is_file() else None)
    answer: Response = await _ACTIONS[action](local, container, path, file, request)
    return answer


async def _put_blob(local: Service, container: str, path: str, file: Path, request: Request) -> Response:
    md5 = await _receive(request, file)
    _remember(local, container, path, file, request, md5)
    return _created(file, md5)


async def _put_block(local: Service, container: str, path: str, file: Path, request: Request) -> Response:
    block = hashlib.sha256(request.query_params.get("blockid", "").encode()).hexdigest()
    target = _blocks(local, container, path) / block
    return _created(target, await _receive(request, target))


def _listed(body: bytes) -> list[str]:
    """The block ids of a ``BlockList`` document."""
    try:
        return [node.text or "" for node in defusedxml.ElementTree.fromstring(body)]
    except (ElementTree.ParseError, defusedxml.DefusedXmlException) as error:
        raise BlobError(400, "InvalidXmlDocument", f"The block list is no usable XML: {error}.") from error


async def _put_blocklist(local: Service, container: str, path: str, file: Path, request: Request) -> Response:
    folder, md5 = _blocks(local, container, path), hashlib.md5(usedforsecurity=False)
    listed = _listed(await request.body())
    parts = [folder / hashlib.sha256(block.encode()).hexdigest() for block in listed]
    if not all(part.is_file() for part in parts):
        raise BlobError(
            400, "InvalidBlockList", "The specified block list is invalid: a block was never put."
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    whole = folder / "whole"
    folder.mkdir(parents=True, exist_ok=True)
    with whole.open("wb") as stream:
        for part in parts:
            data = part.read_bytes()
            md5.update(data)
            stream.write(data)
    whole.replace(file)
    shutil.rmtree(folder)
    _remember(local, container, path, file, request, base64.b64encode(md5.digest()).decode())
    return _created(file)


async def _put_metadata(local: Service, container: str, path: str, file: Path, request: Request) -> Response:
    http.file(local, container, path)
    facts: dict[str, Any] = local.store.get("blobs", f"{container}/{path}") or {}
    local.store.put("blobs", f"{container}/{path}", {**facts, "metadata": _metadata(request)})
    created = _created(file)
    created.status_code = 200
    return created


async def _copy(local: Service, container: str, path: str, file: Path, request: Request) -> Response:
    source = urlsplit(request.headers["x-ms-copy-source"])
    host, _, tail = unquote(source.path).strip("/").partition("/")
    from_container, _, from_path = tail.partition("/")
    if host != files.ACCOUNT_HOST:
        raise BlobError(400, "CannotVerifyCopySource", f"The copy source is not in this account: {host}.")
    origin = http.file(local, from_container, from_path)
    file.parent.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(shutil.copyfile, origin, file)
    facts: dict[str, Any] = local.store.get("blobs", f"{from_container}/{from_path}") or {}
    local.store.put("blobs", f"{container}/{path}", {**facts, "etag": http.etag(file)})
    answer = _created(file)
    answer.status_code = 202
    answer.headers.update({"x-ms-copy-id": os.urandom(16).hex(), "x-ms-copy-status": "success"})
    return answer


_ACTIONS: dict[str, Any] = {
    "blob": _put_blob,
    "block": _put_block,
    "blocklist": _put_blocklist,
    "metadata": _put_metadata,
    "copy": _copy,
}
