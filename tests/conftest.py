"""What every test may use: a really started local Azure ML, and Airflow's environment."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

ROOT = Path(__file__).resolve().parents[1]

# Airflow reads its configuration when it is first imported, so this comes before any test module.
_airflow_home = tempfile.TemporaryDirectory(prefix="airflow-tests-")
os.environ.update(
    {
        "AIRFLOW_HOME": _airflow_home.name,
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_airflow_home.name}/airflow.db",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
    }
)
for _folder in (ROOT, ROOT / "plugins", ROOT / "dags"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))


LONG = (
    "tests/chaos/",
    "tests/plugins/azure_ml/test_[dmjtw]*",
    "tests/launcher/test_[bs]*",
    "tests/mission/",
    "tests/azureml_local/test_walkthrough.py",
    "tests/azureml_local/components/test_chain.py",
    "tests/azureml_local/test_serving*",
    "tests/azureml_local/test_[bo]*",
    "tests/azureml_local/jobs/",
    "tests/azureml_local/test_survival.py",
)
"""What takes longest goes first, so that the workers of `make test` end at about the same time."""

TOGETHER = (
    "tests/launcher/test_[bs]*",
    "tests/plugins/azure_ml/test_[dmjtw]*",
)
"""Files that share what is not to be made twice: a whole stack, a job that trains."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long ones first."""
    items.sort(
        key=lambda item: next((n for n, part in enumerate(LONG) if fnmatchcase(item.nodeid, f"{part}*")), 99)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: much of the work is waiting for processes of others."""
    return min(4, max(1, (os.cpu_count() or 1) * 3 // 2))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file's tests to one worker, and those of files that belong together."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next((pattern for pattern in TOGETHER if fnmatchcase(file, pattern)), file)

    return ByFile(config, log)


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's metadata database, made once; only tests that run a Dag or read the database need it."""
    from airflow.utils import db

    db.initdb()


class AzureMLLocal:
    """A running local Azure ML and the ways to it.

    Attributes:
        base_url: its address.
        home: its folder.
        environment: what ``azure.env`` holds.
    """

    def __init__(self, base_url: str, home: Path, environment: dict[str, str]) -> None:
        self.base_url, self.home, self.environment = base_url, home, environment
        self.http = httpx.Client(base_url=base_url, verify=str(home / "ca.pem"), timeout=60)

    def post(self, path: str, json: Any = None) -> Any:
        """POST to a control route; the answer's JSON."""
        answer = self.http.post(path, json=json)
        assert answer.is_success, answer.text
        return answer.json()

    def token(self) -> dict[str, str]:
        """Headers with a fresh bearer token."""
        answer = self.http.get(
            "/msi/token",
            params={"resource": self.base_url},
            headers={"X-IDENTITY-HEADER": self.environment["IDENTITY_HEADER"]},
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    @contextlib.contextmanager
    def faults(self, *faults: dict[str, Any]) -> Iterator[None]:
        """Arm faults for the time of a block."""
        for fault in faults:
            self.post("/_local/faults", fault)
        try:
            yield
        finally:
            self.http.delete("/_local/faults")

    @contextlib.contextmanager
    def time(self, policy: str, noun: str | None = None) -> Iterator[None]:
        """Another time policy for the time of a block."""
        self.post("/_local/time", {"policy": policy, "noun": noun})
        try:
            yield
        finally:
            self.post("/_local/time", {"policy": "immediate"})

    def arm(
        self, method: str, path: str, *, version: str = "2023-08-01-preview", **kwargs: Any
    ) -> httpx.Response:
        """A plain ARM request below the workspace, with a token."""
        env = self.environment
        scope = (
            f"/subscriptions/{env['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{env['AZURE_RESOURCE_GROUP']}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{env['AZURE_ML_WORKSPACE']}"
        )
        params = {"api-version": version, **kwargs.pop("params", {})}
        headers = {**self.token(), **kwargs.pop("headers", {})}
        return self.http.request(method, scope + path, params=params, headers=headers, **kwargs)

    def ml_client(self) -> MLClient:
        """The SDK's client of the workspace, with the credential that a user would take."""
        from azure.ai.ml import MLClient
        from azure.identity import ManagedIdentityCredential

        env = self.environment
        return MLClient(
            ManagedIdentityCredential(),
            env["AZURE_SUBSCRIPTION_ID"],
            env["AZURE_RESOURCE_GROUP"],
            env["AZURE_ML_WORKSPACE"],
        )

    def registry_client(self) -> MLClient:
        """The SDK's client of the registry."""
        from azure.ai.ml import MLClient
        from azure.identity import ManagedIdentityCredential

        return MLClient(ManagedIdentityCredential(), registry_name=self.environment["AZURE_ML_REGISTRY"])


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_azureml_local(home: Path, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """Start the service as a process group of its own and wait until it is ready.

    Raises:
        RuntimeError: with its log, if it does not come up within a minute.
    """
    log = home / "server.log"
    home.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "include.azureml_local"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "AZUREML_LOCAL_HOME": str(home),
                "AZUREML_LOCAL_PORT": str(port),
                "AZUREML_LOCAL_TIME": "immediate",
                **environment,
            },
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError, OSError):
            if httpx.get(f"https://localhost:{port}/_local/health", verify=str(home / "ca.pem")).is_success:
                return process
        time.sleep(0.1)
    stop_azureml_local(process)
    raise RuntimeError(f"The local Azure ML did not start; its log:\n{log.read_text()}")


def stop_azureml_local(process: subprocess.Popen[bytes]) -> None:
    """End the service and every process that it started."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read_environment(home: Path) -> dict[str, str]:
    """The variables of ``azure.env``."""
    lines = (home / "azure.env").read_text().splitlines()
    found = [re.fullmatch(r"export (\w+)='(.*)'", line) for line in lines]
    return {match[1]: match[2] for match in found if match}


@pytest.fixture(scope="session")
def azureml_local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureMLLocal]:
    """A local Azure ML for the whole session; ``os.environ`` points every client at it."""
    home, port = tmp_path_factory.mktemp("azureml"), free_port()
    process = start_azureml_local(home, port)
    environment = read_environment(home)
    before = dict(os.environ)
    os.environ.update(environment)
    service = AzureMLLocal(f"https://localhost:{port}", home, environment)
    try:
        yield service
    finally:
        service.http.close()
        os.environ.clear()
        os.environ.update(before)
        stop_azureml_local(process)
