"""A really started local Azure ML, for tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

ROOT = Path(__file__).resolve().parents[2]


class AzureMLLocal:
    """A running local Azure ML and the ways to it.

    Attributes:
        base_url: its address.
        home: its folder.
        environment: what ``azure.env`` holds.
        process: of the service, where :func:`running` has started it.
        settings: variables with which :func:`running` has started it.
    """

    process: subprocess.Popen[bytes]
    settings: dict[str, str]

    def __init__(self, base_url: str, home: Path, environment: dict[str, str]) -> None:
        self.base_url, self.home, self.environment = base_url, home, environment
        self.http = self._new_http()

    def _new_http(self) -> httpx.Client:
        return httpx.Client(base_url=self.base_url, verify=str(self.home / "ca.pem"), timeout=60)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the service with a signal; SIGKILL leaves it no chance to clean up."""
        self.process.send_signal(number)
        self.process.wait(15)

    def start_again(self) -> None:
        """Start the service that has ended, on its folder and port."""
        self.http.close()
        self.process = start_azureml_local(self.home, self.port, **self.settings)
        self.http = self._new_http()

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.base_url.rpartition(":")[2])

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
            [sys.executable, "-m", "azureml_local"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "include"),
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


@contextlib.contextmanager
def running(home: Path, port: int = 0, **environment: str) -> Iterator[AzureMLLocal]:
    """A started service of one's own; ``os.environ`` points every client at it for the time of the block."""
    port = port or free_port()
    process = start_azureml_local(home, port, **environment)
    before = dict(os.environ)
    service = AzureMLLocal(f"https://localhost:{port}", home, read_environment(home))
    service.process, service.settings = process, environment
    os.environ.update(service.environment)
    # One certificate to read in place of a bundle of hundreds: the SDK reads it for every new connection, which is
    # a third of the CPU time of these tests. The walkthrough's test keeps to azure.env as it is.
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = str(home / "ca.pem")
    try:
        yield service
    finally:
        service.http.close()
        os.environ.clear()
        os.environ.update(before)
        stop_azureml_local(service.process)
