"""The Hub's routes for data sets under ``/hub``, and the control routes that register them.

Source: the requests that ``huggingface_hub`` 2.4 and ``datasets`` 5.2 send for ``load_dataset``.
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from azureml_local.arm.grammar import ArmError
from azureml_local.hub import splits
from azureml_local.hub.repos import File, Repo, Repos, ReposDep
from azureml_local.routing import title

router = APIRouter(tags=title(__doc__))

API = "/hub/api/datasets/{owner}/{name}"
REVISIONS = ("main",)


class HubError(ArmError):
    """A refusal as the Hub sends it: a short text, the code in ``X-Error-Code``."""

    def response(self) -> JSONResponse:
        """The refusal as an HTTP answer."""
        headers = {"X-Error-Code": self.code, "X-Error-Message": self.message}
        return JSONResponse({"error": self.message}, self.status, headers=headers)


async def _repo(repos: Repos, owner: str, name: str, revision: str = "main") -> Repo:
    repo = await asyncio.to_thread(repos.find, f"{owner}/{name}")
    if repo is None:
        raise HubError(404, "RepoNotFound", f"Repository {owner}/{name} not found")
    if revision not in (*REVISIONS, repo.sha):
        raise HubError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    return repo


def _info(repo: Repo) -> dict[str, Any]:
    stamp = "2024-01-01T00:00:00.000Z"
    return {
        "_id": repo.sha[:24],
        "id": repo.id,
        "author": repo.id.split("/")[0],
        "sha": repo.sha,
        "createdAt": stamp,
        "lastModified": stamp,
        "private": False,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "cardData": {},
        "siblings": [{"rfilename": path} for path in repo.files],
        "usedStorage": sum(file.size for file in repo.files.values()),
    }


@router.get(API)
async def info(owner: str, name: str, repos: ReposDep) -> dict[str, Any]:
    """A repository and its files."""
    return _info(await _repo(repos, owner, name))


@router.get(f"{API}/revision/{{revision}}")
async def info_at(owner: str, name: str, revision: str, repos: ReposDep) -> dict[str, Any]:
    """The same at a revision."""
    return _info(await _repo(repos, owner, name, revision))


def _entry(file: File) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "oid": file.sha256[:40], "size": file.size, "path": file.path}
    if file.path.endswith(".parquet"):
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": 132}
    return entry


def _folder_entry(repo: Repo, path: str) -> dict[str, Any]:
    return {"type": "directory", "oid": repo.sha, "size": 0, "path": path}


@router.get(f"{API}/tree/{{revision}}")
@router.get(f"{API}/tree/{{revision}}/{{path:path}}")
async def tree(
    owner: str, name: str, revision: str, repos: ReposDep, path: str = "", recursive: bool = False
) -> list[dict[str, Any]]:
    """Files and folders below a path; raises HubError: 404 ``EntryNotFound`` if there is no such folder."""
    repo = await _repo(repos, owner, name, revision)
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    below = {at: file for at, file in repo.files.items() if at.startswith(prefix)}
    if not below:
        raise HubError(404, "EntryNotFound", f"{path} does not exist on {revision}")
    folders = {
        prefix + "/".join(parts[:depth])
        for at in below
        if (parts := at[len(prefix) :].split("/"))
        for depth in range(1, len(parts) if recursive else min(len(parts), 2))
    }
    files = [_entry(file) for at, file in below.items() if recursive or "/" not in at[len(prefix) :]]
    return [_folder_entry(repo, folder) for folder in sorted(folders)] + files


@router.post(f"{API}/paths-info/{{revision}}")
async def paths_info(
    owner: str, name: str, revision: str, request: Request, repos: ReposDep
) -> list[dict[str, Any]]:
    """What some paths are; those that do not exist are left out."""
    repo = await _repo(repos, owner, name, revision)
    if "json" in request.headers.get("Content-Type", ""):
        paths = (await request.json()).get("paths", [])
    else:
        paths = (await request.form()).getlist("paths")
    entries = []
    for path in [paths] if isinstance(paths, str) else paths:
        if path in repo.files:
            entries.append(_entry(repo.files[path]))
        elif any(at.startswith(f"{path}/") for at in repo.files):
            entries.append(_folder_entry(repo, path))
    return entries


@router.api_route("/hub/datasets/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
async def resolve(
    owner: str, name: str, revision: str, path: str, request: Request, repos: ReposDep
) -> Response:
    """A file's content; raises HubError: 404 ``EntryNotFound`` if there is no such file."""
    repo = await _repo(repos, owner, name, revision)
    file = repo.files.get(path)
    if file is None:
        raise HubError(404, "EntryNotFound", f"Entry not found: {path}")
    etag = f'"{file.sha256}"'
    headers = {"X-Repo-Commit": repo.sha, "ETag": etag, "Accept-Ranges": "bytes"}
    headers |= {
        "X-Linked-Size": str(file.size),
        "X-Linked-Etag": etag,
        "Last-Modified": formatdate(usegmt=True),
    }
    if request.headers.get("If-None-Match") == etag:
        return Response(status_code=304, headers=headers)
    return FileResponse(file.file, headers=headers, media_type="application/octet-stream")


class DatasetRequest(BaseModel):
    """Body of ``POST /_local/hub/datasets``."""

    model_config = ConfigDict(extra="forbid")

    # ``owner/name`` under which it is served.
    repo_id: str
    # Absolute path of a folder of files named by split, or of one file.
    folder: Path


@router.post("/_local/hub/datasets", status_code=201)
async def register(request: DatasetRequest, repos: ReposDep) -> dict[str, Any]:
    """Serve a folder as a data set; answers the rows of each split, and the files that are none."""
    counts = await asyncio.to_thread(repos.register, request.repo_id, request.folder)
    _, others = await asyncio.to_thread(splits.data_files, request.folder)
    passed_over = [str(file.relative_to(request.folder)) for file in others]
    answer: dict[str, Any] = {"repo_id": request.repo_id, "rows": counts}
    return {**answer, "passed_over": passed_over} if passed_over else answer


@router.get("/_local/hub/datasets")
async def registered(repos: ReposDep) -> dict[str, Any]:
    """Every data set and the rows of its splits."""
    return {
        "value": [
            {"repo_id": repo_id, "rows": await asyncio.to_thread(repos.rows, repo_id)}
            for repo_id in repos.ids()
        ]
    }


@router.delete("/_local/hub/datasets/{owner}/{name}")
async def unregister(owner: str, name: str, repos: ReposDep) -> Response:
    """Serve a data set no longer; the default one is the sample again."""
    return Response(status_code=200 if repos.unregister(f"{owner}/{name}") else 204)
