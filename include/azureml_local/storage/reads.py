"""Blobs read, listed and removed: what ``azure-storage-blob`` asks for, opened by a SAS or a bearer token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.utils import formatdate
from pathlib import Path
from xml.etree import ElementTree

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from azureml_local.arm.grammar import whole_number
from azureml_local.routing import SettingsDep, title
from azureml_local.storage import http
from azureml_local.storage.files import Files, FilesDep
from azureml_local.storage.http import BLOB, CONTAINER, BlobError, BlobRoute, Blobs, BlobsDep, no_container

router = APIRouter(route_class=BlobRoute, tags=title(__doc__))
CHUNK = 1 << 20


async def _read(file: Path, first: int, last: int) -> AsyncIterator[bytes]:
    with file.open("rb") as stream:
        stream.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := await asyncio.to_thread(stream.read, min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


@router.api_route(BLOB, methods=["GET", "HEAD"])
async def get(container: str, path: str, request: Request, blobs: BlobsDep) -> Response:
    """A blob's bytes, or with HEAD or ``comp=metadata`` its properties only."""
    blobs.authorize(request, container, path, "r")
    http.check_component(request, "", "metadata")
    file = blobs.file(container, path)
    http.conditions(request, http.etag(file))
    headers, size = blobs.headers(container, path, file), file.stat().st_size
    if request.method == "HEAD" or request.query_params.get("comp") == "metadata":
        return Response(headers=headers | {"Content-Length": str(size if request.method == "HEAD" else 0)})
    span = http.span(request, size)
    first, last = span or (0, size - 1)
    headers["Content-Length"] = str(last - first + 1)
    if span:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        if "Content-MD5" in headers:
            headers["x-ms-blob-content-md5"] = headers.pop("Content-MD5")
    return StreamingResponse(_read(file, first, last), 206 if span else 200, headers)


@router.delete(BLOB)
async def delete(container: str, path: str, request: Request, blobs: BlobsDep) -> Response:
    """Remove a blob."""
    blobs.authorize(request, container, path, "d")
    http.check_component(request, "")
    file = blobs.file(container, path)
    http.conditions(request, http.etag(file))
    file.unlink()
    blobs.delete_facts(container, path)
    return Response(status_code=202)


@router.api_route(CONTAINER, methods=["GET", "HEAD"])
async def get_container(
    container: str, request: Request, blobs: BlobsDep, files: FilesDep, settings: SettingsDep
) -> Response:
    """A container's properties, or with ``comp=list`` its blobs."""
    # A service SAS opens a container's list, never the container itself, whatever its permissions.
    listing = request.query_params.get("comp") == "list"
    blobs.authorize(request, container, "", "l" if listing else "")
    http.check_component(request, "", "metadata", "list")
    folder = files.path(container)
    if not folder.is_dir():
        raise no_container(container)
    if not listing:
        return Response(
            headers={
                "ETag": http.etag(folder),
                "Last-Modified": formatdate(folder.stat().st_mtime, usegmt=True),
            }
        )
    body = await asyncio.to_thread(_listing, blobs, files, settings.base_url, container, request)
    return Response(body, media_type="application/xml")


@router.put(CONTAINER)
async def put_container(container: str, request: Request, blobs: BlobsDep, files: FilesDep) -> Response:
    """Make a container; raises BlobError: 409 if there is one of that name."""
    blobs.authorize(request, container, "", "")
    http.check_component(request, "")
    folder = files.path(container)
    if folder.is_dir():
        raise BlobError(
            409, "ContainerAlreadyExists", f"The specified container already exists: {container}."
        )
    folder.mkdir(parents=True)
    return Response(status_code=201, headers={"ETag": http.etag(folder)})


def _entries(names: list[str], prefix: str, delimiter: str) -> list[tuple[str, bool]]:
    """Names, or with a delimiter the names and folders directly below the prefix; True marks a folder."""
    if not delimiter:
        return [(name, False) for name in names]
    seen: dict[tuple[str, bool], None] = {}
    for name in names:
        head, cut, _ = name[len(prefix) :].partition(delimiter)
        seen[(prefix + head + cut, bool(cut))] = None
    return list(seen)


def _listing(blobs: Blobs, files: Files, base_url: str, container: str, request: Request) -> bytes:
    query = request.query_params
    prefix, marker, delimiter = query.get("prefix", ""), query.get("marker", ""), query.get("delimiter", "")
    size = min(whole_number(query, "maxresults", 5000, least=1, code="OutOfRangeQueryParameterValue"), 5000)
    entries = [
        entry
        for entry in _entries(list(files.names(container, prefix)), prefix, delimiter)
        if entry[0] >= marker
    ]
    root = ElementTree.Element(
        "EnumerationResults", {"ServiceEndpoint": f"{base_url}/", "ContainerName": container}
    )
    for tag, text in (
        ("Prefix", prefix),
        ("Marker", marker),
        ("MaxResults", str(size)),
        ("Delimiter", delimiter),
    ):
        if text:
            ElementTree.SubElement(root, tag).text = text
    node = ElementTree.SubElement(root, "Blobs")
    for name, folder in entries[:size]:
        if folder:
            ElementTree.SubElement(ElementTree.SubElement(node, "BlobPrefix"), "Name").text = name
        else:
            file = files.path(container, name)
            if file.is_file():
                headers = blobs.headers(container, name, file)
                _describe(name, file, headers, node, "metadata" in query.get("include", ""))
    ElementTree.SubElement(root, "NextMarker").text = entries[size][0] if len(entries) > size else None
    body: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return body


def _describe(
    name: str, file: Path, headers: dict[str, str], parent: ElementTree.Element, with_metadata: bool
) -> None:
    blob = ElementTree.SubElement(parent, "Blob")
    ElementTree.SubElement(blob, "Name").text = name
    properties = ElementTree.SubElement(blob, "Properties")
    for tag, text in {
        "Last-Modified": headers["Last-Modified"],
        "Etag": headers["ETag"].strip('"'),
        "Content-Length": str(file.stat().st_size),
        "Content-Type": headers["Content-Type"],
        "Content-MD5": headers.get("Content-MD5", ""),
        "BlobType": headers["x-ms-blob-type"],
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
    }.items():
        if text:
            ElementTree.SubElement(properties, tag).text = text
    if with_metadata:
        metadata = ElementTree.SubElement(blob, "Metadata")
        for key, value in headers.items():
            if key.startswith("x-ms-meta-"):
                ElementTree.SubElement(metadata, key[len("x-ms-meta-") :]).text = value
