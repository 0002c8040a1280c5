"""A request's body: the token comes first, then limits of size and time, then what can be stored."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azureml_local.front.bodies import DEEPEST, MIB, RESOURCE_BYTES, SCORING_BYTES
from tests.support.azureml_service import AzureMLLocal, running
from tests.support.waiting import wait_for

VERSION = {"api-version": "2023-08-01-preview"}
DATA = {"dataUri": "azureml://datastores/workspaceblobstore/paths/x", "dataType": "uri_file"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLLocal]:
    """A service that gives a request a second."""
    with running(tmp_path_factory.mktemp("home"), AZUREML_LOCAL_REQUEST_SECONDS="1") as found:
        yield found


def memory(service: AzureMLLocal) -> int:
    """Resident bytes of the service, the most that it ever had."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))


def workspace(service: AzureMLLocal) -> str:
    return str(service.arm("GET", "").json()["id"])


def chunks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"a" * MIB


def test_a_large_body_without_a_token_is_not_kept_in_memory(service: AzureMLLocal) -> None:
    url, before = f"{workspace(service)}/data/x/versions/1", memory(service)
    for content in (chunks(100), b"a" * (100 * MIB)):
        answer = service.http.put(url, params=VERSION, content=content, headers=JSON)
        assert answer.status_code == 401
    assert memory(service) - before < 20 * MIB


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_413_in_arms_words(service: AzureMLLocal, declared: bool) -> None:
    before = memory(service)
    content = b"a" * (100 * MIB) if declared else chunks(100)
    answer = service.arm("PUT", "/data/x/versions/1", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "RequestEntityTooLarge")
    assert str(RESOURCE_BYTES) in answer.json()["error"]["message"]
    assert memory(service) - before < 30 * MIB


@pytest.mark.parametrize(
    "path", ["/_local/faults", "/hub/api/datasets/o/n/paths-info/main", "/history/v1.0{id}/runs/x"]
)
def test_every_body_has_a_limit(service: AzureMLLocal, path: str) -> None:
    url = path.format(id=workspace(service))
    method = "PATCH" if "history" in path else "POST"
    answer = service.http.request(method, url, content=chunks(8), headers={**JSON, **service.token()})
    assert answer.status_code in (404, 413)
    assert "error" in answer.json()


def test_a_large_blob_goes_to_disk_and_not_into_memory(service: AzureMLLocal) -> None:
    secrets = service.arm("POST", "/datastores/workspaceblobstore/listSecrets", json={}).json()
    store = service.arm("GET", "/datastores/workspaceblobstore").json()["properties"]
    url = f"/localstore.blob.{store['endpoint']}/{store['containerName']}/large?{secrets['sasToken']}"
    before, size = memory(service), 4 * SCORING_BYTES
    answer = service.http.put(url, content=chunks(size // MIB), headers={"x-ms-blob-type": "BlockBlob"})
    assert answer.status_code == 201
    assert service.http.head(url).headers["Content-Length"] == str(size)
    assert memory(service) - before < 20 * MIB
    head = f"PUT {url} HTTP/1.1\r\nHost: localhost\r\nx-ms-blob-type: BlockBlob\r\nContent-Length: {6000 * MIB}\r\n\r\n"
    assert asked(service, head).startswith("HTTP/1.1 413")


def connect(service: AzureMLLocal) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(service.home / "ca.pem"))
    plain = socket.create_connection(("127.0.0.1", service.port), timeout=30)
    return context.wrap_socket(plain, server_hostname="localhost")


def asked(service: AzureMLLocal, head: str) -> str:
    """The answer to a request whose body does not come."""
    with connect(service) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(65536)
        while answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(65536)
        return answer.decode()


def closed(connection: ssl.SSLSocket) -> bool:
    """Whether the service has closed the connection, or sends a byte more of header to it."""
    try:
        connection.sendall(b"X")
        connection.settimeout(0.05)
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_headers_that_come_by_drops_are_given_up(service: AzureMLLocal, start: bytes) -> None:
    with connect(service) as connection:
        connection.sendall(start)
        began = time.monotonic()
        wait_for(lambda: closed(connection), 10)
        assert time.monotonic() - began > 0.5


def test_headers_that_come_by_drops_after_an_answer_are_given_up(service: AzureMLLocal) -> None:
    with connect(service) as connection:
        connection.sendall(b"GET /_local/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        wait_for(lambda: closed(connection), 10)


def test_a_body_that_never_ends_is_408_in_arms_words(service: AzureMLLocal) -> None:
    token = service.token()["Authorization"]
    head = (
        f"PUT {workspace(service)}/data/x/versions/1?api-version=2023-08-01-preview HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: {token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    )
    answer = asked(service, head)
    assert answer.startswith("HTTP/1.1 408")
    assert json.loads(answer.partition("\r\n\r\n")[2])["error"]["code"] == "RequestTimeout"


UNSTORABLE = {
    "a lone surrogate in a tag": '{"properties": %s, "x": "\\ud800"}',
    "a lone surrogate in a name": '{"properties": %s, "\\uDFFF": 1}',
    "a pair the wrong way round": '{"properties": %s, "x": "\\udc00\\ud800"}',
    "not a number": '{"properties": %s, "x": NaN}',
    "infinity": '{"properties": %s, "x": -Infinity}',
    "more than a double holds": '{"properties": %s, "x": 1e999}',
    "a number of 5,000 digits": '{"properties": %s, "x": ' + "9" * 5000 + "}",
    "a deep document": '{"properties": %s, "x": ' + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1) + "}",
    "a bottomless document": '{"properties": %s, "x": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "what is no UTF-8": '{"properties": %s, "x": "\udcff"}',
}


@pytest.mark.parametrize("what", UNSTORABLE)
def test_what_cannot_be_stored_is_400_and_not_stored(service: AzureMLLocal, what: str) -> None:
    content = (UNSTORABLE[what] % json.dumps(DATA)).encode(errors="surrogateescape")
    answer = service.arm("PUT", "/data/unstorable/versions/1", content=content, headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent"), answer.text
    assert service.arm("GET", "/data/unstorable/versions/1").status_code == 404


def test_a_lone_surrogate_in_a_tag_of_an_endpoint_spoils_no_list(service: AzureMLLocal) -> None:
    content = b'{"location": "eastus", "tags": {"a": "\\ud83d"}, "properties": {"authMode": "Key"}}'
    assert service.arm("PUT", "/onlineEndpoints/spoilt", content=content, headers=JSON).status_code == 400
    assert service.arm("GET", "/onlineEndpoints").json()["value"] == []
    content = content.replace(b"\\ud83d", b"\\ud83d\\ude00 NaN Infinity")
    assert service.arm("PUT", "/onlineEndpoints/kept", content=content, headers=JSON).status_code == 201
    assert service.arm("GET", "/onlineEndpoints").json()["value"][0]["tags"] == {"a": "😀 NaN Infinity"}


@pytest.mark.parametrize("value", ["-1", "abc", "1.5", "9" * 40, "٣"])
@pytest.mark.parametrize("name", ["$skip", "$top", "count"])
def test_a_number_in_a_query_that_is_none_is_400(service: AzureMLLocal, name: str, value: str) -> None:
    answer = service.arm("GET", "/computes", params={name: value})
    assert (answer.status_code, answer.json()["error"]["target"]) == (400, name)


NUMBERS: dict[str, tuple[str, str, Any]] = {
    "a page of runs": ("POST", "/mlflow/runs/search", {"max_results": "many"}),
    "a place in the runs": ("POST", "/mlflow/runs/search", {"page_token": -1}),
    "a place in a metric": ("GET", "/mlflow/metrics/get-history?metric_key=a&page_token=-1", None),
    "a page of a metric": (
        "GET",
        "/mlflow/metrics/get-history?metric_key=a&max_results=99999999999999999999",
        None,
    ),
}


@pytest.mark.parametrize("what", NUMBERS)
def test_a_number_that_mlflows_client_cannot_mean_is_400(service: AzureMLLocal, what: str) -> None:
    method, path, body = NUMBERS[what]
    url = f"/mlflow/v1.0{workspace(service)}/api/2.0{path}"
    assert service.http.request(method, url, json=body, headers=service.token()).status_code == 400


def test_a_step_of_more_than_64_bits_is_400(service: AzureMLLocal) -> None:
    api = f"/mlflow/v1.0{workspace(service)}/api/2.0/mlflow"
    headers = service.token()
    run = service.http.post(f"{api}/runs/create", json={}, headers=headers).json()["run"]["info"]["run_id"]
    body = {"run_id": run, "key": "loss", "value": 1, "timestamp": 1, "step": 1 << 70}
    assert service.http.post(f"{api}/runs/log-metric", json=body, headers=headers).status_code == 400


@pytest.mark.parametrize("path", ["$continuationtoken=-1", "$top=abc", "$top=-5"])
def test_a_page_of_children_that_is_none_is_400(service: AzureMLLocal, path: str) -> None:
    api = f"/mlflow/v1.0{workspace(service)}/api/2.0/mlflow"
    headers = service.token()
    run = service.http.post(f"{api}/runs/create", json={}, headers=headers).json()["run"]["info"]["run_id"]
    url = f"/history/v1.0{workspace(service)}/runs/{run}/children?{path}"
    assert service.http.get(url, headers=headers).status_code == 400
