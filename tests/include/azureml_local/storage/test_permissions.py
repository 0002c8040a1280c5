"""What a shared access signature opens: this container or blob, these operations, this time, and nothing else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from azureml_local.engine import sas
from azureml_local.settings import BLOB_CONTAINER
from azureml_local.storage.files import ACCOUNT_HOST, ARTIFACTS
from tests.support.azureml_service import AzureMLLocal

STORAGE = "https://storage.azure.com/"
BLOCK_BLOB = {"x-ms-blob-type": "BlockBlob"}


def account_key(service: AzureMLLocal) -> str:
    return (service.home / "secrets" / "storage-key").read_text()


def signed(
    service: AzureMLLocal, permissions: str, blob: str = "", container: str = BLOB_CONTAINER, **fields: str
) -> str:
    """A query that grants ``permissions``; ``fields`` replace or add signed ones."""
    key = account_key(service)
    query = dict(httpx.QueryParams(sas.token(key, container, blob, permissions=permissions))) | fields
    del query["sig"]
    return urlencode({**query, "sig": sas._signature(key, container, blob, query)})


def address(blob: str, query: str, container: str = BLOB_CONTAINER) -> str:
    return f"/{ACCOUNT_HOST}/{container}/{blob}?{query}"


def put(service: AzureMLLocal, blob: str, container: str = BLOB_CONTAINER, text: str = "mine") -> None:
    answer = service.http.put(
        address(blob, signed(service, "w", container=container), container), content=text, headers=BLOCK_BLOB
    )
    assert answer.status_code == 201, answer.text


def refused(answer: httpx.Response, status: int = 403) -> bool:
    return answer.status_code == status and answer.text.startswith("<?xml")


OPERATIONS = {
    "read": ("GET", "", {}, "r"),
    "read properties": ("HEAD", "", {}, "r"),
    "read metadata": ("GET", "comp=metadata", {}, "r"),
    "overwrite": ("PUT", "", BLOCK_BLOB, "w"),
    "put a block over it": ("PUT", "comp=block&blockid=MDAx", {}, "w"),
    "put a list of blocks over it": ("PUT", "comp=blocklist", {}, "w"),
    "change metadata": ("PUT", "comp=metadata", {"x-ms-meta-a": "b"}, "w"),
    "delete": ("DELETE", "", {}, "d"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_on_a_blob_needs_its_own_permission(azureml_local: AzureMLLocal, operation: str) -> None:
    method, query, headers, needed = OPERATIONS[operation]
    put(azureml_local, "there")
    body = b"<BlockList></BlockList>" if "blocklist" in query else b""
    for letter in "racwdl":
        url = address("there", f"{query}&{signed(azureml_local, letter)}")
        answer = azureml_local.http.request(method, url, headers=headers, content=body)
        assert answer.is_success == (letter in needed), (letter, answer.status_code)
        assert answer.is_success or answer.headers["x-ms-error-code"] == "AuthorizationPermissionMismatch"


def test_create_writes_a_new_blob_and_never_overwrites_one(azureml_local: AzureMLLocal) -> None:
    url = address("created-once", signed(azureml_local, "c"))
    assert azureml_local.http.put(url, content=b"first", headers=BLOCK_BLOB).status_code == 201
    assert refused(azureml_local.http.put(url, content=b"second", headers=BLOCK_BLOB))
    source = azureml_local.base_url + address("created-once", signed(azureml_local, "r"))
    copied = address("copied-once", signed(azureml_local, "c"))
    assert azureml_local.http.put(copied, headers={"x-ms-copy-source": source}).status_code == 202
    assert refused(azureml_local.http.put(copied, headers={"x-ms-copy-source": source}))
    assert azureml_local.http.get(address("created-once", signed(azureml_local, "r"))).text == "first"


def test_of_two_that_create_one_blob_at_once_only_the_first_succeeds(azureml_local: AzureMLLocal) -> None:
    url = address("created-twice", signed(azureml_local, "c"))

    def slowly() -> object:
        yield b"sl"
        # Between the two halves of this body somebody else writes the blob.
        put(azureml_local, "created-twice", text="other")
        yield b"ow"

    with httpx.Client(base_url=azureml_local.base_url, verify=str(azureml_local.home / "ca.pem")) as client:
        assert refused(client.put(url, content=slowly(), headers=BLOCK_BLOB))  # type: ignore[arg-type]
    assert azureml_local.http.get(address("created-twice", signed(azureml_local, "r"))).text == "other"


def test_only_list_lists(azureml_local: AzureMLLocal) -> None:
    for letter in "racwdl":
        url = f"/{ACCOUNT_HOST}/{BLOB_CONTAINER}?restype=container&comp=list&{signed(azureml_local, letter)}"
        assert azureml_local.http.get(url).is_success == (letter == "l"), letter


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_no_service_sas_opens_a_container_itself(azureml_local: AzureMLLocal, method: str) -> None:
    url = f"/{ACCOUNT_HOST}/{BLOB_CONTAINER}?restype=container"
    assert azureml_local.http.request(method, f"{url}&{signed(azureml_local, 'racwdl')}").status_code == 403
    answer = azureml_local.http.request(method, url, headers=azureml_local.token(STORAGE))
    assert answer.status_code == (409 if method == "PUT" else 200)


def test_a_signature_of_one_blob_opens_no_other_and_no_list(azureml_local: AzureMLLocal) -> None:
    for name in ("one", "one/../two", "two"):
        put(azureml_local, name) if ".." not in name else None
    query = signed(azureml_local, "racwdl", "one")
    assert azureml_local.http.get(address("one", query)).text == "mine"
    assert refused(azureml_local.http.get(address("two", query)))
    listing = f"/{ACCOUNT_HOST}/{BLOB_CONTAINER}?restype=container&comp=list&{query}"
    assert refused(azureml_local.http.get(listing))


def test_a_signature_of_one_container_opens_no_other(azureml_local: AzureMLLocal) -> None:
    put(azureml_local, "log.txt", ARTIFACTS)
    query = signed(azureml_local, "racwdl")
    assert refused(azureml_local.http.get(address("log.txt", query, ARTIFACTS)))
    assert refused(azureml_local.http.delete(address("log.txt", query, ARTIFACTS)))


@pytest.mark.parametrize(
    ("fields", "opens"),
    [
        ({"st": "2020-01-01", "se": "2099-01-01"}, True),
        ({"se": "2020-01-01T00:00:00Z"}, False),
        ({"se": ""}, False),
        ({"se": "tomorrow"}, False),
        ({"st": "2098-01-01T00:00:00Z", "se": "2099-01-01"}, False),
        ({"spr": "https"}, True),
        ({"spr": "https,http"}, True),
        ({"spr": "http"}, False),
        ({"sip": "127.0.0.1"}, True),
        ({"sip": "10.0.0.0-10.0.0.9"}, False),
        ({"si": "a-policy"}, False),
        ({"sr": "d"}, False),
        ({"sp": ""}, False),
    ],
)
def test_every_field_of_a_signature_is_kept_to(
    azureml_local: AzureMLLocal, fields: dict[str, str], opens: bool
) -> None:
    put(azureml_local, "fields")
    answer = azureml_local.http.get(address("fields", signed(azureml_local, "r", **fields)))
    assert answer.is_success if opens else refused(answer), answer.text


def test_a_signature_in_foreign_letters_is_refused(azureml_local: AzureMLLocal) -> None:
    query = signed(azureml_local, "r").rpartition("sig=")[0] + "sig=%C3%BC"
    assert refused(azureml_local.http.get(address("fields", query)))


def test_the_source_of_a_copy_is_authorised_like_any_read(azureml_local: AzureMLLocal) -> None:
    put(azureml_local, "secret.txt", ARTIFACTS, "secret")
    source = azureml_local.base_url + address("secret.txt", "", ARTIFACTS).rstrip("?")
    target = address("loot", signed(azureml_local, "racwdl"))
    token = azureml_local.token(STORAGE)
    stolen = [
        {"x-ms-copy-source": source},
        {"x-ms-copy-source": f"{source}?{signed(azureml_local, 'racwdl')}"},
        {"x-ms-copy-source": f"{source}?{signed(azureml_local, 'acwdl', container=ARTIFACTS)}"},
        {"x-ms-copy-source": source, "Authorization": azureml_local.token()["Authorization"]},
    ]
    for headers in stolen:
        answer = azureml_local.http.put(target, headers=headers)
        assert refused(answer), headers
        assert answer.headers["x-ms-error-code"] == "CannotVerifyCopySource"
    assert azureml_local.http.get(address("loot", signed(azureml_local, "r"))).status_code == 404
    readable = f"{source}?{signed(azureml_local, 'r', container=ARTIFACTS)}"
    for headers in (
        {"x-ms-copy-source": readable},
        {"x-ms-copy-source": source, "x-ms-copy-source-authorization": token["Authorization"]},
    ):
        assert azureml_local.http.put(target, headers=headers).status_code == 202
    plain = address("loot", "").rstrip("?")
    answer = azureml_local.http.put(plain, headers={"x-ms-copy-source": source, **token})
    assert answer.status_code == 202
    assert azureml_local.http.get(plain, headers=token).text == "secret"


def test_the_source_of_a_copy_is_in_this_account(azureml_local: AzureMLLocal) -> None:
    target = address("from-elsewhere", signed(azureml_local, "w"))
    source = "https://example.com" + address("x", signed(azureml_local, "r"))
    assert azureml_local.http.put(target, headers={"x-ms-copy-source": source}).status_code == 400


@pytest.mark.parametrize("component", ["tags", "acl", "blocklist", "lease"])
def test_what_is_not_served_of_a_blob_is_501_and_not_its_bytes(
    azureml_local: AzureMLLocal, component: str
) -> None:
    put(azureml_local, "plain")
    url = address("plain", f"comp={component}&{signed(azureml_local, 'racwdl')}")
    for method in ("GET", "DELETE"):
        assert azureml_local.http.request(method, url).status_code == 501
    assert azureml_local.http.get(address("plain", signed(azureml_local, "r"))).text == "mine"


def test_a_browser_takes_a_blob_for_nothing_but_bytes(azureml_local: AzureMLLocal) -> None:
    put(azureml_local, "page.html", text="<script>alert(1)</script>")
    for method in ("GET", "HEAD"):
        headers = azureml_local.http.request(method, address("page.html", signed(azureml_local, "r"))).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in headers["Content-Security-Policy"].replace(";", " ").split()


@pytest.mark.parametrize("text", ["bytes=5-2", "bytes=9-", "bytes=-", "bytes=x-y", f"bytes=0-{'9' * 30}"])
def test_a_range_that_is_none_is_416(azureml_local: AzureMLLocal, text: str) -> None:
    put(azureml_local, "ranged", text="0123")
    for name in ("Range", "x-ms-range"):
        answer = azureml_local.http.get(address("ranged", signed(azureml_local, "r")), headers={name: text})
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, "bytes */4")


@pytest.mark.parametrize("number", ["abc", "0", "-1", "1.5", "9" * 30])
def test_a_page_size_that_is_none_is_400(azureml_local: AzureMLLocal, number: str) -> None:
    query = f"restype=container&comp=list&maxresults={number}&{signed(azureml_local, 'l')}"
    answer = azureml_local.http.get(f"/{ACCOUNT_HOST}/{BLOB_CONTAINER}?{query}")
    assert refused(answer, 400)
    assert answer.headers["x-ms-error-code"] == "OutOfRangeQueryParameterValue"


@pytest.mark.parametrize("name", ["a%01b", "%EF%BF%BF", "x" * 300, "/".join(["part"] * 300)])
def test_a_name_that_no_list_or_disk_holds_is_400(azureml_local: AzureMLLocal, name: str) -> None:
    answer = azureml_local.http.put(
        address(name, signed(azureml_local, "w")), content=b"", headers=BLOCK_BLOB
    )
    assert refused(answer, 400)
    listing = f"restype=container&comp=list&{signed(azureml_local, 'l')}"
    assert azureml_local.http.get(f"/{ACCOUNT_HOST}/{BLOB_CONTAINER}?{listing}").is_success


def test_a_folder_and_a_blob_of_one_name_are_501(azureml_local: AzureMLLocal) -> None:
    put(azureml_local, "tree/leaf")
    for name in ("tree", "tree/leaf/below"):
        answer = azureml_local.http.put(
            address(name, signed(azureml_local, "w")), content=b"", headers=BLOCK_BLOB
        )
        assert refused(answer, 501)
    assert not list(Path(azureml_local.home, "blobs").rglob("part-*"))
