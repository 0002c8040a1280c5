"""A really started local Azure ML and the ways to it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from azureml_local.cli.client_files import read
from azureml_local.cli.detached import is_ready
from azureml_local.control.guard import HEADER

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

START_SECONDS, END_SECONDS = 60.0, 10.0
# What control routes want to see; every other route leaves it unread.
CONTROL = {HEADER: "control"}


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
        return httpx.Client(
            base_url=self.base_url, verify=str(self.home / "ca.pem"), timeout=60, headers=CONTROL
        )

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End the service with a signal; SIGKILL leaves it no chance to clean up."""
        self.process.send_signal(number)
        self.process.wait(15)

    def start_again(self) -> None:
        """Start the service that has ended, on its folder and port."""
        self.http.close()
        self.process = start(self.home, self.port, **self.settings)
        self.http = self._new_http()

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.base_url.rpartition(":")[2])

    def post(self, path: str, json: Any = None) -> Any:
        """POST to a control route; the answer's JSON."""
        answer = self.http.post(path, json=json)
        if not answer.is_success:
            raise AssertionError(answer.text)
        return answer.json()

    def reset(self) -> None:
        """Forget everything; end jobs and deployments."""
        self.post("/_local/reset")

    def token(self, resource: str = "") -> dict[str, str]:
        """Headers with a fresh bearer token for a resource, or for the resource manager."""
        answer = self.http.get(
            "/msi/token",
            params={"resource": resource or self.base_url},
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


def start(home: Path, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """Start the service as a process group of its own and wait until it answers.

    Raises:
        RuntimeError: with its log, if it does not come up within a minute.
    """
    log = home / "server.log"
    home.mkdir(parents=True, exist_ok=True)
    own = {"HOME": home, "PORT": port, "TIME": "immediate"}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "azureml_local"],
            env=dict(os.environ)
            | {f"AZUREML_LOCAL_{name}": str(it) for name, it in own.items()}
            | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if is_ready(home, port):
            return process
        time.sleep(0.02)
    stop(process)
    raise RuntimeError(f"The local Azure ML did not start; its log:\n{log.read_text()}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the service and every process that it started."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def running(home: Path, port: int = 0, **environment: str) -> Iterator[AzureMLLocal]:
    """A started service of one's own; ``os.environ`` points every client at it for the time of the block."""
    port = port or free_port()
    process = start(home, port, **environment)
    with attached(home) as service:
        service.process, service.settings = process, environment
        try:
            yield service
        finally:
            service.http.close()
            stop(service.process)


@contextlib.contextmanager
def attached(home: Path) -> Iterator[AzureMLLocal]:
    """The service that runs with a home; ``os.environ`` points every client at it for the time of the block."""
    environment, before = read(home), dict(os.environ)
    service = AzureMLLocal(environment["HF_ENDPOINT"].removesuffix("/hub"), home, environment)
    os.environ.update(environment)
    try:
        yield service
    finally:
        service.http.close()
        os.environ.clear()
        os.environ.update(before)
