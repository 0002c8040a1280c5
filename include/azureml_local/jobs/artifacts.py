"""Artifacts of runs as an MLflow client writes and reads them: files below the run's folder."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, Response

from azureml_local.arm.grammar import Json, not_found
from azureml_local.jobs import history
from azureml_local.locator import ServiceDep
from azureml_local.mlflow.routes import MLFLOW_PATH, MlflowRoute
from azureml_local.routing import require_token
from azureml_local.service import Service
from azureml_local.storage import files

router = APIRouter(prefix=MLFLOW_PATH, route_class=MlflowRoute, dependencies=[Depends(require_token)])
_FILES = "/mlflow-artifacts/artifacts"


def _place(local: Service, run_id: str, path: str) -> Path:
    local.history.get(run_id)
    prefix = history.artifact_prefix(run_id)
    return files.blob_path(local, history.ARTIFACT_CONTAINER, f"{prefix}/{path}" if path else prefix)


def _listing(folder: Path, path: str) -> list[Json]:
    """The entries of a folder; ``path`` is put before each name."""
    if not folder.is_dir():
        return []
    return [
        {
            "path": f"{path.rstrip('/')}/{entry.name}" if path else entry.name,
            "is_dir": entry.is_dir(),
            **({} if entry.is_dir() else {"file_size": entry.stat().st_size}),
        }
        for entry in sorted(folder.iterdir())
    ]


@router.get("/mlflow/artifacts/list")
async def list_artifacts(local: ServiceDep, run_id: str = "", run_uuid: str = "", path: str = "") -> Json:
    """The files and folders of a run at a path."""
    run = run_id or run_uuid
    return {"root_uri": f"mlflow-artifacts:/{run}", "files": _listing(_place(local, run, path), path)}


@router.get(_FILES)
async def browse(path: str, local: ServiceDep) -> Json:
    """The same for a client that addresses the run as the first part of the path."""
    run_id, _, below = path.strip("/").partition("/")
    return {
        "files": [
            {**entry, "path": Path(entry["path"]).name}
            for entry in _listing(_place(local, run_id, below), below)
        ]
    }


@router.put(f"{_FILES}/{{run_id}}/{{path:path}}")
async def upload(run_id: str, path: str, request: Request, local: ServiceDep) -> Json:
    """Write one file."""
    target = _place(local, run_id, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        async for piece in request.stream():
            stream.write(piece)
    return {}


@router.get(f"{_FILES}/{{run_id}}/{{path:path}}")
async def download(run_id: str, path: str, local: ServiceDep) -> Response:
    """Read one file."""
    target = _place(local, run_id, path)
    if not target.is_file():
        raise not_found("The artifact", path, f"run {run_id}")
    return FileResponse(target, media_type=mimetypes.guess_type(target.name)[0] or "application/octet-stream")
