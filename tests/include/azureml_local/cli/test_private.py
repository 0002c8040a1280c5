"""State is readable for its owner alone, whatever the shell's umask was and an older version left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from azureml_local.settings import BLOB_CONTAINER
from azureml_local.storage.files import ACCOUNT_HOST
from tests.support.azureml_service import AzureMLLocal, running

DATA = {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}


@contextmanager
def umask(mode: int) -> Iterator[None]:
    before = os.umask(mode)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(home: Path) -> list[str]:
    """What somebody else may read or enter, from the home down."""
    found = [home, *home.rglob("*")]
    return [str(path) for path in found if not path.is_symlink() and path.stat().st_mode & 0o077]


def write_everything(service: AzureMLLocal) -> None:
    assert service.arm("PUT", "/data/mine/versions/1", json={"properties": DATA}).status_code == 201
    sas = service.arm("POST", "/datastores/workspaceblobstore/listSecrets", json={}).json()["sasToken"]
    url, headers = f"/{ACCOUNT_HOST}/{BLOB_CONTAINER}/a/b?{sas}", {"x-ms-blob-type": "BlockBlob"}
    assert service.http.put(url, content=b"x", headers=headers).status_code == 201
    service.post("/_local/snapshot", {"name": "kept"})


def test_nothing_of_the_state_is_open_to_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with umask(0o000):
        home.mkdir()
        (home / "left-by-an-older-version").touch()
        assert open_to_others(home)
        with running(home) as service:
            write_everything(service)
            names = {path.name for path in home.iterdir()}
            assert {"state.db", "metrics.db", "blobs", "secrets", "snapshots"} <= names
            assert open_to_others(home) == []
