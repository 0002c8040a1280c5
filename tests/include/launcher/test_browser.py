"""What an operator sees: Airflow's pages of our Dag and of our connection, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from include.launcher import environment, processes
from tests.support.launcher import Launcher

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.shares("launcher"),
    pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install the package chromium"),
]


@pytest.fixture
def page(up: tuple[Launcher, str]) -> Iterator[Page]:
    """A page of the running Airflow, logged in."""
    from playwright.sync_api import sync_playwright

    launcher, _ = up
    base = f"http://localhost:{processes.read_records(launcher.paths.records)['api-server'].port}"
    login = {"username": "admin", "password": environment.load_secrets(launcher.paths)["password"]}
    token = httpx.post(f"{base}/auth/token", json=login).json()["access_token"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(base_url=base, viewport={"width": 1500, "height": 1000})
        context.add_cookies([{"name": "_token", "value": token, "url": base}])
        context.set_default_timeout(60_000)
        yield context.new_page()
        browser.close()


def test_the_form_has_its_sections_and_explains_their_fields(page: Page) -> None:
    page.goto("/dags/finetune_chat_completion")
    page.get_by_role("button", name="Trigger").first.click()
    for section in ("Model", "Data", "Training", "Compute", "Deployment"):
        page.get_by_role("button", name=section, exact=True).wait_for()
    page.get_by_role("button", name="Data", exact=True).click()
    page.get_by_text("Percent of each split").first.wait_for()
    page.get_by_text("Above 0, up to 100").first.wait_for()


def test_the_dags_page_lists_every_step(page: Page) -> None:
    page.goto("/dags/finetune_chat_completion")
    page.get_by_role("button", name="Expand all task groups").first.click()
    for task in ("connect", "wait_for_job", "delete_endpoint", "verdict"):
        page.get_by_text(task).first.wait_for()


def test_the_connection_of_the_local_azure_ml_is_there(page: Page) -> None:
    page.goto("/connections")
    page.get_by_text("azure_ml_default").first.wait_for()
    page.get_by_text("azure_ml", exact=True).first.wait_for()
