"""Inputs by https:// and wasbs://: the service's own storage is read in place, everything else is downloaded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.ai.ml import Input, MLClient
from azure.ai.ml.entities import Data

from tests.support.azureml_service import AzureMLLocal
from tests.support.jobs import log_of, run

CAT = "cat ${{inputs.it}}"
LIST = "<EnumerationResults><Blobs>{}</Blobs><NextMarker>{}</NextMarker></EnumerationResults>"


class Storage(SimpleHTTPRequestHandler):
    """Files of a web server, and the list of a public container of two blobs, a page each."""

    def do_GET(self) -> None:
        """A file, or one page of the list."""
        query = parse_qs(urlsplit(self.path).query)
        if query.get("comp") != ["list"]:
            super().do_GET()
            return
        page = "marker" in query
        names = [["set/a b.txt"], ["set/deep/c.txt"]][page]
        blobs = "".join(f"<Blob><Name>{name}</Name></Blob>" for name in names)
        body = LIST.format(blobs, "" if page else "next").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Address of a server on loopback."""
    (tmp_path / "public/set/deep").mkdir(parents=True)
    (tmp_path / "public/set/a b.txt").write_text("first\n")
    (tmp_path / "public/set/deep/c.txt").write_text("second\n")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0),
        lambda *given: Storage(*given, directory=str(tmp_path)),
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def read(
    client: MLClient,
    uri: str,
    folder: Path,
    kind: str = "uri_file",
    line: str = "cat ${{inputs.it}}",
    **how: Any,
) -> str:
    """What a job reads at an address."""
    done = run(client, line, inputs={"it": Input(type=kind, path=uri, **how)})
    return log_of(client, done.name, folder / "log")


def test_a_file_of_a_web_server_is_downloaded(client: MLClient, site: str, tmp_path: Path) -> None:
    assert read(client, f"{site}/public/set/a%20b.txt", tmp_path, line="cat '${{inputs.it}}'") == "first\n"
    assert (
        read(client, f"{site}/x", tmp_path / "2", line="echo ${{inputs.it}}", mode="direct") == f"{site}/x\n"
    )


def test_a_folder_of_a_public_container_is_downloaded(client: MLClient, site: str, tmp_path: Path) -> None:
    line = "cd ${{inputs.it}} && cat 'a b.txt' deep/c.txt"
    assert read(client, f"{site}/public/set", tmp_path, "uri_folder", line) == "first\nsecond\n"


def test_a_data_asset_may_lie_on_a_web_server(client: MLClient, site: str, tmp_path: Path) -> None:
    made = client.data.create_or_update(
        Data(name="public-file", path=f"{site}/public/set/deep/c.txt", type="uri_file")
    )
    assert read(client, made.id, tmp_path) == "second\n"


def test_what_cannot_be_downloaded_fails_the_job_with_its_address(client: MLClient, site: str) -> None:
    failed = run(client, "true", "Failed", inputs={"it": Input(type="uri_file", path=f"{site}/nothing.csv")})
    with pytest.raises(Exception, match=r"nothing\.csv.*cannot be downloaded.*404"):
        client.jobs.stream(failed.name)


def test_the_own_storage_is_read_by_any_address(
    azureml_local: AzureMLLocal, client: MLClient, tmp_path: Path
) -> None:
    (tmp_path / "own.txt").write_text("own")
    made = client.data.create_or_update(Data(name="own-file", path=tmp_path / "own.txt", type="uri_file"))
    store = client.datastores.get_default()
    path = made.path.partition("/paths/")[2]
    host, account = "localstore.blob.core.azureml.local", azureml_local.base_url.removeprefix("https://")
    for number, uri in enumerate(
        (
            f"https://{account}/{host}/{store.container_name}/{path}",
            f"https://{host}/{store.container_name}/{path}",
            f"wasbs://{store.container_name}@{host}/{path}",
            f"abfss://{store.container_name}@{host.replace('.blob.', '.dfs.')}/{path}",
        )
    ):
        assert read(client, uri, tmp_path / str(number)) == "own"
