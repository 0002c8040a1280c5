"""The pages behind Studio's links: what they show, that they show it as text, and that a browser draws the curve."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.support.azureml_service import AzureMLLocal
from tests.support.waiting import FINAL, wait_for

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ENVIRONMENT = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112"
HOSTILE = "<script>document.title=1</script>"


class Text(HTMLParser):
    """The tags of a page and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def page(service: AzureMLLocal, address: str) -> Text:
    """A page, read without a token."""
    answer = service.http.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    told = Text()
    told.feed(answer.text)
    return told


@pytest.fixture(scope="module")
def job(azureml_local: AzureMLLocal) -> str:
    """Name of a failed job that logged a script and a curve."""
    inner = {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 1}}
    body = {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": inner}}
    azureml_local.arm("PUT", "/computes/studio", json=body)
    properties: dict[str, Any] = {
        "jobType": "Command",
        "command": f'python -c "import sys; print({HOSTILE!r}); sys.exit(3)"',
        "environmentId": ENVIRONMENT,
        "computeId": "studio",
        "tags": {"owner": "<b>me</b>"},
        "environmentVariables": {"API_KEY": "hidden-from-pages"},
    }
    put = azureml_local.arm("PUT", "/jobs/studio-job", json={"properties": properties})
    assert put.status_code == 201, put.text
    scope = azureml_local.arm("GET", "").json()["id"]
    url = f"/mlflow/v1.0{scope}/api/2.0/mlflow/runs/log-metric"
    for step, value in enumerate((3.0, 2.0, 1.5)):
        point = {"run_id": "studio-job", "key": "loss", "value": value, "timestamp": 1, "step": step}
        azureml_local.http.post(url, json=point, headers=azureml_local.token()).raise_for_status()
    path = "/jobs/studio-job"
    wait_for(lambda: azureml_local.arm("GET", path).json()["properties"]["status"] in FINAL, 60)
    return "studio-job"


def test_the_link_of_a_job_leads_to_its_page(azureml_local: AzureMLLocal, job: str) -> None:
    told = page(azureml_local, azureml_local.ml_client().jobs.get(job).studio_url)
    for words in (f"Job {job}", "Failed", "ended with exit code 3", "loss", "3 to 1.5 over 3 points"):
        assert words in told.text
    assert "hidden-from-pages" not in told.text


def test_what_a_job_printed_is_text_and_no_script(azureml_local: AzureMLLocal, job: str) -> None:
    told = page(azureml_local, f"/runs/{job}")
    assert "<script>" in told.text
    assert not {"script", "b", "img", "link", "iframe", "form"} & set(told.tags)


def test_a_curve_falls_as_its_metric_does(azureml_local: AzureMLLocal, job: str) -> None:
    drawn = re.search(r'<polyline points="([^"]+)"', azureml_local.http.get(f"/runs/{job}").text)
    assert drawn is not None
    heights = [float(point.split(",")[1]) for point in drawn[1].split()]
    # SVG counts downwards: a falling loss has growing coordinates, within the picture.
    assert heights == sorted(heights)
    assert 0 <= heights[0] < heights[-1] <= 160


def test_an_endpoint_has_a_page_without_its_keys(azureml_local: AzureMLLocal) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    client = azureml_local.ml_client()
    made = ManagedOnlineEndpoint(name="studio-ep", auth_mode="key", tags={"owner": "me"})
    client.online_endpoints.begin_create_or_update(made).result()
    told = page(azureml_local, "/endpoints/realtime/studio-ep/detail?wsid=x")
    assert "Succeeded" in told.text
    assert client.online_endpoints.get_keys("studio-ep").primary_key not in told.text
    client.online_endpoints.begin_delete("studio-ep").result()
    assert azureml_local.http.get("/endpoints/realtime/studio-ep/detail").status_code == 404


def test_a_model_has_a_page(azureml_local: AzureMLLocal, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model

    (tmp_path / "w.bin").write_bytes(b"1")
    model = Model(
        name="studio-model", version="7", path=str(tmp_path / "w.bin"), description="on <i>show</i>"
    )
    azureml_local.ml_client().models.create_or_update(model)
    told = page(azureml_local, "/model/studio-model:7/details?wsid=x")
    assert "Model studio-model:7" in told.text
    assert "on <i>show</i>" in told.text


@pytest.mark.parametrize("path", ["/runs/nobody", "/model/nobody:1/details", "/runs/..%2F..%2Fsecrets"])
def test_a_page_of_nothing_is_404(azureml_local: AzureMLLocal, path: str) -> None:
    assert azureml_local.http.get(path).status_code in (404, 501)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install the package chromium")
def test_a_browser_shows_the_page_and_runs_nothing_of_it(azureml_local: AzureMLLocal, job: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        shown = browser.new_context(base_url=azureml_local.base_url, ignore_https_errors=True).new_page()
        complaints: list[str] = []
        shown.on("console", lambda message: complaints.append(message.text))
        shown.goto(f"/runs/{job}")
        assert shown.title() == f"Job {job} - local Azure ML"
        assert shown.locator("svg[aria-label=loss] polyline").is_visible()
        assert complaints == []
        browser.close()
