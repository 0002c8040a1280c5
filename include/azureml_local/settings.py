"""Where the service listens and keeps its state: read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from azureml_local import __version__

SUBSCRIPTION_ID = "00000000-0000-4000-8000-000000000001"
TENANT_ID = "00000000-0000-4000-8000-0000000000aa"
RESOURCE_GROUP = "rg-local"
WORKSPACE = "ws-local"
WORKSPACE_GUID = "00000000-0000-4000-8000-0000000000ee"
LOCATION = "eastus"
REGISTRY = "azureml"
CLOUD_NAME = "AzureMLLocal"
STORAGE_SUFFIX = "core.azureml.local"
STORAGE_ACCOUNT = "localstore"
BLOB_CONTAINER = "azureml-blobstore-00000000-0000-4000-8000-0000000000ee"


@dataclass(frozen=True)
class Settings:
    """The configuration of the process."""

    # Folder of the state (database, blobs, jobs, keys, ``azure.env``).
    home: Path
    port: int
    # ``immediate``, ``timed`` or ``manual``; see :mod:`azureml_local.engine.clock`.
    time_policy: str
    # Folder of what :mod:`azureml_local.provisioning` makes once for all services of this version.
    cache: Path
    # Interpreter of the compute environment, which runs jobs and deployments.
    compute_python: Path
    # Folder of the stand-in base model, made by ``azureml_local.worker.standin``.
    standin: Path
    # Folder of the generated sample data set, made by ``azureml_local.sample``.
    sample: Path
    # IP address to listen on; see :attr:`exposed`.
    bind: str = "127.0.0.1"
    # Program of a deployment's process.
    serving_script: Path = Path(__file__).with_name("worker") / "serving" / "server.py"
    # How long the headers of a request may take, and then its body if it comes by drops.
    request_seconds: float = 20.0

    @property
    def base_url(self) -> str:
        """The address every client uses, for example ``https://localhost:8443``."""
        return f"https://localhost:{self.port}"

    @property
    def exposed(self) -> bool:
        """Whether other machines may reach the service."""
        return not ip_address(self.bind).is_loopback

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read ``AZUREML_LOCAL_*``; the home is below the current folder if none is given, the rest in the cache.

        Raises:
            ValueError: if the port is no number from 1 to 65535, or the address is none.
        """
        raw_port = env.get("AZUREML_LOCAL_PORT", "8443")
        if not raw_port.isdecimal() or not 0 < int(raw_port) < 65536:
            raise ValueError(f"AZUREML_LOCAL_PORT is {raw_port!r}: give a port number from 1 to 65535.")
        bind = env.get("AZUREML_LOCAL_BIND", cls.bind)
        try:
            ip_address(bind)
        except ValueError as error:
            raise ValueError(f"AZUREML_LOCAL_BIND is {bind!r}: give an IP address.") from error
        cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "azureml-local" / __version__
        return cls(
            home=Path(env.get("AZUREML_LOCAL_HOME", ".azureml-local")).resolve(),
            port=int(raw_port),
            bind=bind,
            time_policy=env.get("AZUREML_LOCAL_TIME", "timed"),
            cache=cache.absolute(),
            # Not resolved: a virtual environment's python is a link, and following it leaves the environment.
            compute_python=Path(
                env.get("AZUREML_LOCAL_COMPUTE_PYTHON", cache / "compute" / "bin" / "python")
            ).absolute(),
            standin=Path(env.get("AZUREML_LOCAL_STANDIN", cache / "standin")).absolute(),
            sample=Path(env.get("AZUREML_LOCAL_SAMPLE", cache / "sample")).absolute(),
            serving_script=Path(env.get("AZUREML_LOCAL_SERVING_SCRIPT", cls.serving_script)).resolve(),
            request_seconds=float(env.get("AZUREML_LOCAL_REQUEST_SECONDS", cls.request_seconds)),
        )

    def makes(self, path: Path) -> bool:
        """Whether a path is the service's own to make; every other is its caller's."""
        return path.is_relative_to(self.cache)

    def as_environment(self) -> dict[str, str]:
        """The variables that :meth:`from_environment` makes these settings of."""
        return {
            "AZUREML_LOCAL_HOME": str(self.home),
            "AZUREML_LOCAL_PORT": str(self.port),
            "AZUREML_LOCAL_BIND": self.bind,
            "AZUREML_LOCAL_TIME": self.time_policy,
            "AZUREML_LOCAL_COMPUTE_PYTHON": str(self.compute_python),
            "AZUREML_LOCAL_STANDIN": str(self.standin),
            "AZUREML_LOCAL_SAMPLE": str(self.sample),
            "AZUREML_LOCAL_SERVING_SCRIPT": str(self.serving_script),
            "AZUREML_LOCAL_REQUEST_SECONDS": str(self.request_seconds),
        }
