"""Data goes up through the SDK, is registered, and comes back the same."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from azureml_local.engine import sas
from tests.support.azureml_service import AzureMLLocal


def test_the_default_datastore_is_opened_by_an_expiring_sas(azureml_local: AzureMLLocal) -> None:
    datastore = azureml_local.ml_client().datastores.get_default(include_secrets=True)
    assert datastore.name == "workspaceblobstore"
    assert "se=" in datastore.credentials.sas_token
    names = [item.name for item in azureml_local.ml_client().datastores.list()]
    assert set(names) >= {"workspaceblobstore", "workspaceartifactstore"}


def test_a_local_file_becomes_a_data_asset_and_is_found_again(
    azureml_local: AzureMLLocal, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Data

    client = azureml_local.ml_client()
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\n')
    made = client.data.create_or_update(Data(name="rows", version="1", path=str(file), type="uri_file"))
    assert made.path.startswith("azureml://subscriptions/")
    assert made.path.endswith("rows.jsonl")
    again = client.data.get("rows", version="1")
    assert (again.path, again.type) == (made.path, "uri_file")
    assert client.data.get("rows", label="latest").version == "1"
    assert [item.version for item in client.data.list("rows")] == ["1"]


def test_versions_count_up_by_themselves(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import Data

    client = azureml_local.ml_client()
    uri = "azureml://datastores/workspaceblobstore/paths/some/folder/"
    versions = [
        client.data.create_or_update(Data(name="counted", path=uri, type="uri_folder")).version
        for _ in range(3)
    ]
    assert versions == ["1", "2", "3"]
    client.data.archive("counted", version="3")
    assert [item.version for item in client.data.list("counted")] == ["2", "1"]
    client.data.restore("counted", version="3")
    assert client.data.get("counted", label="latest").version == "3"


def test_a_version_keeps_its_path(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import Data
    from azure.core.exceptions import ResourceExistsError

    client = azureml_local.ml_client()
    base = "azureml://datastores/workspaceblobstore/paths/"
    client.data.create_or_update(Data(name="fixed", version="1", path=base + "one", type="uri_folder"))
    client.data.create_or_update(
        Data(name="fixed", version="1", path=base + "one", type="uri_folder", description="again")
    )
    with pytest.raises(ResourceExistsError, match="paths cannot be updated"):
        client.data.create_or_update(Data(name="fixed", version="1", path=base + "two", type="uri_folder"))


def test_a_folder_and_a_large_file_come_back_the_same(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml._artifacts._artifact_utilities import download_artifact_from_aml_uri
    from azure.ai.ml.entities import Data

    client = azureml_local.ml_client()
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "empty").write_bytes(b"")
    (source / "deep" / "large").write_bytes(os.urandom(70 << 20))
    asset = client.data.create_or_update(
        Data(name="folder", version="1", path=str(source), type="uri_folder")
    )
    target = tmp_path / "target"
    download_artifact_from_aml_uri(asset.path, str(target), client.datastores)
    for file in ("empty", "deep/large"):
        assert (target / file).read_bytes() == (source / file).read_bytes()


def _container(azureml_local: AzureMLLocal) -> tuple[str, str]:
    secrets = azureml_local.arm("POST", "/datastores/workspaceblobstore/listSecrets", json={}).json()
    store = azureml_local.arm("GET", "/datastores/workspaceblobstore").json()["properties"]
    url = f"https://{store['accountName']}.blob.{store['endpoint']}/{store['containerName']}"
    return url.replace(azureml_local.base_url, ""), secrets["sasToken"]


def test_a_blob_answers_ranges_conditions_and_metadata(azureml_local: AzureMLLocal) -> None:
    container, signature = _container(azureml_local)
    url = f"{container}/some/text.txt?{signature}"
    put = azureml_local.http.put(
        url, content=b"0123456789", headers={"x-ms-blob-type": "BlockBlob", "x-ms-meta-who": "me"}
    )
    assert put.status_code == 201
    part = azureml_local.http.get(url, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    head = azureml_local.http.head(url)
    assert (head.headers["Content-Length"], head.headers["x-ms-meta-who"]) == ("10", "me")
    assert head.headers["ETag"] == put.headers["ETag"]
    assert azureml_local.http.get(url, headers={"If-None-Match": put.headers["ETag"]}).status_code == 304
    assert (
        azureml_local.http.put(url, content=b"", headers={"If-None-Match": "*"}).headers["x-ms-error-code"]
        == "BlobAlreadyExists"
    )
    assert azureml_local.http.get(url, headers={"Range": "bytes=20-"}).status_code == 416
    assert azureml_local.http.put(url, content=b"x", headers={"Content-MD5": "AAAA"}).status_code == 400
    assert azureml_local.http.get(url).content == b"0123456789"
    assert azureml_local.http.delete(url).status_code == 202
    assert azureml_local.http.get(url).headers["x-ms-error-code"] == "BlobNotFound"


def test_a_list_is_cut_by_prefix_delimiter_and_page(azureml_local: AzureMLLocal) -> None:
    from azure.storage.blob import ContainerClient

    container, signature = _container(azureml_local)
    client = ContainerClient.from_container_url(f"{azureml_local.base_url}{container}?{signature}")
    for name in ("list/a/1", "list/a/2", "list/b c+ü", "lisa"):
        client.upload_blob(name, b"x", overwrite=True)
    names = [blob.name for blob in client.list_blobs(name_starts_with="list/", results_per_page=1)]
    assert names == ["list/a/1", "list/a/2", "list/b c+ü"]
    walked = [item.name for item in client.walk_blobs(name_starts_with="list/", delimiter="/")]
    assert walked == ["list/a/", "list/b c+ü"]
    copy = client.get_blob_client("list/copy")
    copy.start_copy_from_url(client.get_blob_client("list/a/1").url)
    assert copy.download_blob().readall() == b"x"


@pytest.mark.parametrize("change", ["sig=AAAA", "se=2020-01-01T00%3A00%3A00Z", "sp=rwdlacx"])
def test_a_sas_that_was_changed_is_refused(azureml_local: AzureMLLocal, change: str) -> None:
    container, signature = _container(azureml_local)
    name = change.partition("=")[0] + "="
    forged = "&".join(change if field.startswith(name) else field for field in signature.split("&"))
    answer = azureml_local.http.get(f"{container}?restype=container&comp=list&{forged}")
    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (-1, 403)])
def test_a_sas_that_is_rightly_signed_is_refused_after_its_end(
    azureml_local: AzureMLLocal, seconds: float, status: int
) -> None:
    container, _ = _container(azureml_local)
    key = (azureml_local.home / "secrets" / "storage-key").read_text()
    query = sas.token(key, container.rsplit("/", 1)[1], permissions="rl", seconds=seconds)
    answer = azureml_local.http.get(f"{container}?restype=container&comp=list&{query}")
    assert answer.status_code == status, answer.text


def test_a_blob_needs_a_signature_or_a_token(azureml_local: AzureMLLocal) -> None:
    container, _ = _container(azureml_local)
    assert azureml_local.http.get(f"{container}/x").status_code == 401
    headers = azureml_local.token("https://storage.azure.com/")
    assert azureml_local.http.get(f"{container}/x", headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["../../state.db", "..%2f..%2fstate.db", "a/../../../secrets/signing.pem"])
def test_no_blob_name_leaves_its_container(azureml_local: AzureMLLocal, path: str) -> None:
    container, _ = _container(azureml_local)
    account = container.rsplit("/", 1)[0]
    for prefix in (container, f"{account}/%2e%2e"):
        raw = httpx.URL(azureml_local.base_url).copy_with(raw_path=f"{prefix}/{path}".encode())
        answer = azureml_local.http.get(raw, headers=azureml_local.token("https://storage.azure.com/"))
        assert answer.status_code in (400, 404, 501)


@pytest.mark.parametrize(
    "body",
    ["<BlockList><Latest>", '<!DOCTYPE x [<!ENTITY a "aaaa">]><BlockList><Latest>&a;</Latest></BlockList>'],
)
def test_a_block_list_that_is_broken_or_has_entities_is_refused(
    azureml_local: AzureMLLocal, body: str
) -> None:
    container, sas = _container(azureml_local)
    answer = azureml_local.http.put(f"{container}/in/blocks.txt?comp=blocklist&{sas}", content=body)
    assert (answer.status_code, "InvalidXmlDocument" in answer.text) == (400, True)
