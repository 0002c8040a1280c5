"""``azure.env`` and ``config.json``: all that a client needs to know of the service."""

from __future__ import annotations

import json
import re
from pathlib import Path

from azureml_local.engine.identity import private_file
from azureml_local.front.tls import Certificates
from azureml_local.settings import (
    CLOUD_NAME,
    REGISTRY,
    RESOURCE_GROUP,
    SUBSCRIPTION_ID,
    TENANT_ID,
    WORKSPACE,
    Settings,
)


def write(settings: Settings, identity_header: str, files: Certificates) -> None:
    """Write both files into the home."""
    lines = [
        f"export {name}='{value}'\n" for name, value in _variables(settings, identity_header, files).items()
    ]
    private_file(settings.home / "azure.env", "".join(lines).encode())
    config = {
        "subscription_id": SUBSCRIPTION_ID,
        "resource_group": RESOURCE_GROUP,
        "workspace_name": WORKSPACE,
    }
    (settings.home / "config.json").write_text(json.dumps(config, indent=2))


def _variables(settings: Settings, identity_header: str, files: Certificates) -> dict[str, str]:
    base = settings.base_url
    return {
        "ARM_CLOUD_METADATA_URL": f"{base}/metadata/endpoints?api-version=2019-05-01",
        "AZUREML_CURRENT_CLOUD": CLOUD_NAME,
        "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{base}/",
        "IDENTITY_ENDPOINT": f"{base}/msi/token",
        "IDENTITY_HEADER": identity_header,
        "REQUESTS_CA_BUNDLE": str(files.bundle),
        "SSL_CERT_FILE": str(files.bundle),
        "AZUREML_RUN_POLLING_INTERVAL_MIN": "1",
        "AZUREML_RUN_POLLING_INTERVAL_MAX": "2",
        "HF_ENDPOINT": f"{base}/hub",
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION_ID,
        "AZURE_RESOURCE_GROUP": RESOURCE_GROUP,
        "AZURE_ML_WORKSPACE": WORKSPACE,
        "AZURE_ML_REGISTRY": REGISTRY,
        "AZURE_TENANT_ID": TENANT_ID,
    }


def read(home: Path) -> dict[str, str]:
    """The variables of ``azure.env``."""
    lines = (home / "azure.env").read_text().splitlines()
    return {match[1]: match[2] for line in lines if (match := re.fullmatch(r"export (\w+)='(.*)'", line))}
