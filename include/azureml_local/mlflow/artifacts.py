"""Artifacts of runs as an MLflow client writes and reads them: files below the run's folder."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import Request
from fastapi.responses import FileResponse, Response

from azureml_local.arm.grammar import Json, not_found
from azureml_local.jobs.history import History, HistoryDep
from azureml_local.mlflow.protocol import mlflow_router

router = mlflow_router("", __doc__)
_FILES = "/mlflow-artifacts/artifacts"


def _place(history: History, run_id: str, path: str) -> Path:
    """Local file or folder of an artifact.

    Raises:
        ArmError: 404 if there is no such run; 400 for a path that leads outside the storage.
    """
    history.get(run_id)
    return history.artifact(run_id, path)


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
async def list_artifacts(history: HistoryDep, run_id: str = "", run_uuid: str = "", path: str = "") -> Json:
    """The files and folders of a run at a path."""
    run = run_id or run_uuid
    return {"root_uri": f"mlflow-artifacts:/{run}", "files": _listing(_place(history, run, path), path)}


@router.get(_FILES)
async def browse(path: str, history: HistoryDep) -> Json:
    """The same for a client that addresses the run as the first part of the path."""
    run_id, _, below = path.strip("/").partition("/")
    return {
        "files": [
            {**entry, "path": Path(entry["path"]).name}
            for entry in _listing(_place(history, run_id, below), below)
        ]
    }


@router.put(f"{_FILES}/{{run_id}}/{{path:path}}")
async def upload(run_id: str, path: str, request: Request, history: HistoryDep) -> Json:
    """Write one file."""
    target = _place(history, run_id, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        async for piece in request.stream():
            stream.write(piece)
    return {}


@router.get(f"{_FILES}/{{run_id}}/{{path:path}}")
async def download(run_id: str, path: str, history: HistoryDep) -> Response:
    """Read one file."""
    target = _place(history, run_id, path)
    if not target.is_file():
        raise not_found("The artifact", path, f"run {run_id}")
    return FileResponse(target, media_type=mimetypes.guess_type(target.name)[0] or "application/octet-stream")
