"""The pytest plugin: fixture ``azureml_local``, options ``--azureml-local`` and ``--azureml-local-home``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from azureml_local.testing.service import AzureMLLocal


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("azureml-local", "the local Azure ML")
    group.addoption(
        "--azureml-local",
        action="store_true",
        help="let every test of the session talk to a local Azure ML",
    )
    group.addoption(
        "--azureml-local-home",
        type=Path,
        metavar="DIR",
        help="use the service that runs with this home, do not start one",
    )


@pytest.fixture(scope="session")
def azureml_local(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AzureMLLocal]:
    """A local Azure ML for the session; ``os.environ`` points every client of Azure at it."""
    from azureml_local.testing import service

    home: Path | None = pytestconfig.getoption("--azureml-local-home")
    running = service.attached(home) if home else service.running(tmp_path_factory.mktemp("azureml-local"))
    with running as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def _azureml_local_for_all(request: pytest.FixtureRequest) -> None:
    """Start the service for tests that do not ask for it, too, if an option says so."""
    config = request.config
    if config.getoption("--azureml-local") or config.getoption("--azureml-local-home"):
        request.getfixturevalue("azureml_local")
