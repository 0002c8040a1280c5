"""Where the service listens and keeps its state: read once from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

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
    """The configuration of the process.

    Attributes:
        home: folder of the state (database, blobs, jobs, keys, ``azure.env``).
        bind: IP address to listen on; see :attr:`exposed`.
        time_policy: ``immediate``, ``timed`` or ``manual``; see :mod:`azureml_local.engine.clock`.
        compute_python: interpreter of the compute environment, which runs jobs and deployments.
        standin: folder of the stand-in base model, made by ``azureml_local.worker.standin``.
        serving_script: program of a deployment's process.
        sample: folder of the generated sample data set, made by ``azureml_local.sample``.
    """

    home: Path
    port: int
    time_policy: str
    compute_python: Path
    standin: Path
    sample: Path
    bind: str = "127.0.0.1"
    serving_script: Path = Path(__file__).with_name("worker") / "serving" / "server.py"

    @property
    def base_url(self) -> str:
        """The address every client uses, for example ``https://localhost:8443``."""
        return f"https://localhost:{self.port}"

    @property
    def exposed(self) -> bool:
        """Whether other machines may reach the service."""
        return not ip_address(self.bind).is_loopback

    @classmethod
    def from_environment(cls) -> Settings:
        """Read ``AZUREML_LOCAL_*``; paths default to folders of the project.

        Raises:
            ValueError: if the port is no number from 1 to 65535, or the address is none.
        """
        env = os.environ
        raw_port = env.get("AZUREML_LOCAL_PORT", "8443")
        if not raw_port.isdecimal() or not 0 < int(raw_port) < 65536:
            raise ValueError(f"AZUREML_LOCAL_PORT is {raw_port!r}: give a port number from 1 to 65535.")
        bind = env.get("AZUREML_LOCAL_BIND", cls.bind)
        try:
            ip_address(bind)
        except ValueError as error:
            raise ValueError(f"AZUREML_LOCAL_BIND is {bind!r}: give an IP address.") from error
        return cls(
            home=Path(env.get("AZUREML_LOCAL_HOME", ROOT / ".local" / "azureml")).resolve(),
            port=int(raw_port),
            bind=bind,
            time_policy=env.get("AZUREML_LOCAL_TIME", "timed"),
            # Not resolved: a virtual environment's python is a link, and following it leaves the environment.
            compute_python=Path(
                env.get("AZUREML_LOCAL_COMPUTE_PYTHON", ROOT / ".venv-compute" / "bin" / "python")
            ).absolute(),
            standin=Path(env.get("AZUREML_LOCAL_STANDIN", ROOT / ".local" / "standin")).resolve(),
            sample=Path(env.get("AZUREML_LOCAL_SAMPLE", ROOT / ".local" / "sample")).resolve(),
            serving_script=Path(env.get("AZUREML_LOCAL_SERVING_SCRIPT", cls.serving_script)).resolve(),
        )
