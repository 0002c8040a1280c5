"""Data set repositories as the Hub keeps them: a folder, a revision, and sums of its files."""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from azureml_local.arm.grammar import ArmError
from azureml_local.hub import rows as hub_rows
from azureml_local.hub import splits

if TYPE_CHECKING:
    from azureml_local.service import Service

DEFAULT = "HuggingFaceH4/ultrachat_200k"
"""The repository that is served from the generated sample while nothing is registered under its name."""
REPO_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
KIND = "hubDatasets"


@dataclass(frozen=True)
class File:
    """One file of a repository: its path, local file, size in bytes and SHA-256."""

    path: str
    local: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class Repo:
    """A repository at its one revision.

    Attributes:
        id: ``owner/name``.
        sha: the revision, 40 hex digits made from the content.
        files: its files by path.
    """

    id: str
    sha: str
    files: dict[str, File]


_seen: dict[tuple[Path, int, int], str] = {}


def _sum(file: Path) -> str:
    status = file.stat()
    key = (file, status.st_mtime_ns, status.st_size)
    if key not in _seen:
        with file.open("rb") as stream:
            _seen[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _seen[key]


def _folder(local: Service, repo_id: str) -> Path | None:
    document = local.store.get(KIND, repo_id)
    if document:
        return Path(document["folder"])
    if repo_id != DEFAULT:
        return None
    made = local.settings.home / "hub" / "sample"
    if not (made / "README.md").exists():
        _make_sample(local, made)
    return made


def _make_sample(local: Service, made: Path) -> None:
    if not any(local.settings.sample.glob("data/*.parquet")):
        from azureml_local.sample import splits as sample

        sample.write(local.settings.sample, splits.SEED)
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(local.settings.sample / "data", made / "data")
    names = sorted({splits.split_of(file) for file in (made / "data").glob("*.parquet")})
    _write_card(made, names)


def _write_card(folder: Path, names: list[str]) -> None:
    """The card that tells a reader which file belongs to which split."""
    files = [{"split": split, "path": f"data/{split}-*"} for split in names]
    card = yaml.safe_dump({"configs": [{"config_name": "default", "data_files": files}]}, sort_keys=False)
    (folder / "README.md").write_text(f"---\n{card}---\n\nServed by the local Azure ML.\n")


def find(local: Service, repo_id: str) -> Repo | None:
    """The repository of that id, None if there is none."""
    folder = _folder(local, repo_id)
    if folder is None or not folder.is_dir():
        return None
    files = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            path = file.relative_to(folder).as_posix()
            files[path] = File(path, file, file.stat().st_size, _sum(file))
    digest = hashlib.sha1(
        "".join(path + file.sha256 for path, file in files.items()).encode(), usedforsecurity=False
    )
    return Repo(repo_id, digest.hexdigest(), files)


def rows(local: Service, repo_id: str) -> dict[str, int]:
    """Rows of each split."""
    document = local.store.get(KIND, repo_id)
    if document:
        return dict(document["rows"])
    import pyarrow.parquet as pq

    repo = find(local, repo_id)
    counts: dict[str, int] = {}
    for file in repo.files.values() if repo else ():
        if file.path.endswith(".parquet"):
            split = splits.split_of(file.local)
            counts[split] = counts.get(split, 0) + pq.read_metadata(file.local).num_rows
    return counts


def register(local: Service, repo_id: str, source: Path) -> dict[str, int]:
    """Serve a folder, or one file, as a repository from now on; the rows of each split.

    Raises:
        ArmError: 400 naming the path, or the file and the line, that is wrong.
    """
    if not REPO_ID.fullmatch(repo_id) or ".." in repo_id:
        raise ArmError(
            400, "UserError", f"repo_id {repo_id!r} is not of the form owner/name.", target="repo_id"
        )
    if not source.is_absolute() or not source.exists():
        raise ArmError(
            400,
            "UserError",
            f"There is no folder {str(source)!r}: give the absolute path of one.",
            target="folder",
        )
    # A folder of its own each time: a reader of the old one is not disturbed.
    folder = local.settings.home / "hub" / repo_id.replace("/", "--") / uuid.uuid4().hex[:12]
    try:
        counts = hub_rows.write(hub_rows.load(source), folder / "data")
    except splits.BadRowError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ArmError(400, "UserError", str(error), target=str(source)) from error
    _write_card(folder, list(counts))
    before = local.store.get(KIND, repo_id)
    local.store.put(KIND, repo_id, {"folder": str(folder), "source": str(source), "rows": counts})
    if before:
        shutil.rmtree(before["folder"], ignore_errors=True)
    return counts


def listed(local: Service) -> list[str]:
    """Ids of all repositories, the default first."""
    return list(dict.fromkeys([DEFAULT, *(document.key for document in local.store.list(KIND))]))
