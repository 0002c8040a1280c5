"""Control routes do what their owner asks, and nothing that a page in the owner's browser asks."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from azureml_local.control.guard import HEADER
from azureml_local.front.app import ROUTERS
from tests.support.azureml_service import ROOT, AzureMLLocal

CHANGING = sorted(
    (method, route.path)  # type: ignore[attr-defined]
    for router in ROUTERS
    for route in router.routes
    if route.path.startswith("/_local/")  # type: ignore[attr-defined]
    for method in route.methods - {"GET", "HEAD"}  # type: ignore[attr-defined]
)
FORMS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""]


@pytest.fixture
def browser(azureml_local: AzureMLLocal) -> Iterator[httpx.Client]:
    """A client that sends nothing of its own accord."""
    with httpx.Client(base_url=azureml_local.base_url, verify=str(azureml_local.home / "ca.pem")) as client:
        yield client


@pytest.mark.parametrize("media", FORMS)
@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_what_a_form_can_send_changes_nothing(
    browser: httpx.Client, method: str, path: str, media: str
) -> None:
    headers = {"Content-Type": media} if media else {}
    answer = browser.request(method, path, content=b'{"policy": "immediate"}', headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Forbidden")
    assert HEADER in answer.json()["error"]["message"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:8443"])
def test_a_foreign_page_is_refused_whatever_it_sends(browser: httpx.Client, origin: str) -> None:
    for method, path in (("GET", "/_local/faults"), ("POST", "/_local/reset")):
        answer = browser.request(method, path, headers={"Origin": origin, HEADER: "control"})
        assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8443", "localhost.evil.example", ""])
def test_a_name_that_somebody_gave_to_this_machine_is_refused(browser: httpx.Client, host: str) -> None:
    for method, path in (("GET", "/_local/health"), ("DELETE", "/_local/faults")):
        answer = browser.request(method, path, headers={"Host": host, HEADER: "control"})
        assert answer.status_code == 403


def test_the_owner_may(azureml_local: AzureMLLocal, browser: httpx.Client) -> None:
    own = {"Origin": azureml_local.base_url}
    assert browser.get("/_local/health").is_success
    assert browser.delete("/_local/faults", headers={HEADER: "control", **own}).is_success
    assert browser.delete("/_local/faults", headers={HEADER: "control", "Host": "127.0.0.1"}).is_success
    assert browser.post("/_local/limits", json={}).is_success


def test_the_readmes_example_is_taken(azureml_local: AzureMLLocal, browser: httpx.Client) -> None:
    """Curl's ``--json`` sends a content type that no form can send."""
    text = (ROOT / "include" / "azureml_local" / "README.md").read_text()
    assert "/_local/faults --json" in text
    assert f"`{HEADER}: control`" in text
