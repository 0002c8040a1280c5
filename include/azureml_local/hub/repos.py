"""Data set repositories as the Hub keeps them: a folder, a revision, and sums of its files."""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.folder import Folder
from azureml_local.engine.store import Store
from azureml_local.hub import rows as hub_rows
from azureml_local.hub import splits
from azureml_local.provisioning import sample
from azureml_local.routing import part
from azureml_local.settings import Settings

# The repository that is served from the generated sample while nothing is registered under its name.
DEFAULT = "HuggingFaceH4/ultrachat_200k"
REPO_ID = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
KIND = "hubDatasets"


@dataclass(frozen=True)
class File:
    """One file of a repository: its path, local file, size in bytes and SHA-256."""

    path: str
    file: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class Repo:
    """A repository at its one revision."""

    # ``owner/name``.
    id: str
    # The revision, 40 hex digits made from the content.
    sha: str
    # Files by path.
    files: dict[str, File]


_seen: dict[tuple[Path, int, int], str] = {}


def _sum(file: Path) -> str:
    status = file.stat()
    key = (file, status.st_mtime_ns, status.st_size)
    if key not in _seen:
        with file.open("rb") as stream:
            _seen[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _seen[key]


def _write_card(folder: Path, names: list[str]) -> None:
    """The card that tells a reader which file belongs to which split."""
    import yaml

    files = [{"split": split, "path": f"data/{split}-*"} for split in names]
    card = yaml.safe_dump({"configs": [{"config_name": "default", "data_files": files}]}, sort_keys=False)
    (folder / "README.md").write_text(f"---\n{card}---\n\nServed by the local Azure ML.\n")


class Repos(Folder):
    """The repositories, in the store's kind ``hubDatasets``; their files are below ``<home>/hub``."""

    def __init__(self, store: Store, settings: Settings) -> None:
        super().__init__(settings.home / "hub")
        self._store, self._settings = store, settings

    def ids(self) -> list[str]:
        """Ids of all repositories, the default first."""
        return list(dict.fromkeys([DEFAULT, *(document.key for document in self._store.list(KIND))]))

    def find(self, repo_id: str) -> Repo | None:
        """The repository of that id, None if there is none."""
        folder = self._folder_of(repo_id)
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

    def _folder_of(self, repo_id: str) -> Path | None:
        document = self._store.get(KIND, repo_id)
        if document:
            return Path(document["folder"])
        if repo_id != DEFAULT:
            return None
        made = self.folder / "sample"
        if not (made / "README.md").exists():
            self._make_sample(made)
        return made

    def _make_sample(self, made: Path) -> None:
        source = sample.make(self._settings)
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(source / "data", made / "data")
        _write_card(made, sorted({splits.split_of(file) for file in (made / "data").glob("*.parquet")}))

    def rows(self, repo_id: str) -> dict[str, int]:
        """Rows of each split."""
        document = self._store.get(KIND, repo_id)
        if document:
            return dict(document["rows"])
        import pyarrow.parquet as pq

        repo = self.find(repo_id)
        counts: dict[str, int] = {}
        for file in repo.files.values() if repo else ():
            if file.path.endswith(".parquet"):
                split = splits.split_of(file.file)
                counts[split] = counts.get(split, 0) + pq.read_metadata(file.file).num_rows
        return counts

    def register(self, repo_id: str, source: Path) -> dict[str, int]:
        """Serve a folder, or one file, as a repository from now on; the rows of each split.

        Raises:
            ArmError: 400 naming the path, or the file and the line, that is wrong.
        """
        _check(repo_id, source)
        # A folder of its own each time: a reader of the old one is not disturbed.
        folder = self.folder / repo_id.replace("/", "--") / uuid.uuid4().hex[:12]
        try:
            counts = hub_rows.write(hub_rows.load(source), folder / "data")
        except splits.BadRowError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ArmError(400, "UserError", str(error), target=str(source)) from error
        _write_card(folder, list(counts))
        before = self._store.get(KIND, repo_id)
        self._store.put(KIND, repo_id, {"folder": str(folder), "source": str(source), "rows": counts})
        if before:
            shutil.rmtree(before["folder"], ignore_errors=True)
        return counts

    def unregister(self, repo_id: str) -> bool:
        """Serve a repository no longer; whether it was registered."""
        return self._store.delete(KIND, repo_id)


def _check(repo_id: str, source: Path) -> None:
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


ReposDep = Annotated[Repos, part(Repos)]
