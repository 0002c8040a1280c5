"""``azure.env`` and ``config.json``: all that a client needs to know of the service."""

from __future__ import annotations

import json
import re
from pathlib import Path

from azureml_local import settings
from azureml_local.engine.identity import private_file
from azureml_local.front.tls import Certificates
from azureml_local.settings import Settings


def write(told: Settings, identity_header: str, files: Certificates) -> None:
    """Write both files into the home."""
    lines = [f"export {name}='{value}'\n" for name, value in _variables(told, identity_header, files).items()]
    private_file(told.home / "azure.env", "".join(lines).encode())
    config = {
        "subscription_id": settings.SUBSCRIPTION_ID,
        "resource_group": settings.RESOURCE_GROUP,
        "workspace_name": settings.WORKSPACE,
    }
    (told.home / "config.json").write_text(json.dumps(config, indent=2))


def _variables(told: Settings, identity_header: str, files: Certificates) -> dict[str, str]:
    base = told.base_url
    return {
        "ARM_CLOUD_METADATA_URL": f"{base}/metadata/endpoints?api-version=2019-05-01",
        "AZUREML_CURRENT_CLOUD": settings.CLOUD_NAME,
        "REGISTRY_DISCOVERY_ENDPOINT_URL": f"{base}/",
        "IDENTITY_ENDPOINT": f"{base}/msi/token",
        "IDENTITY_HEADER": identity_header,
        "REQUESTS_CA_BUNDLE": str(files.bundle),
        "SSL_CERT_FILE": str(files.bundle),
        "AZUREML_RUN_POLLING_INTERVAL_MIN": "1",
        "AZUREML_RUN_POLLING_INTERVAL_MAX": "2",
        "HF_ENDPOINT": f"{base}/hub",
        "AZURE_SUBSCRIPTION_ID": settings.SUBSCRIPTION_ID,
        "AZURE_RESOURCE_GROUP": settings.RESOURCE_GROUP,
        "AZURE_ML_WORKSPACE": settings.WORKSPACE,
        "AZURE_ML_REGISTRY": settings.REGISTRY,
        "AZURE_TENANT_ID": settings.TENANT_ID,
    }


def read(home: Path) -> dict[str, str]:
    """The variables of ``azure.env``."""
    lines = (home / "azure.env").read_text().splitlines()
    return {match[1]: match[2] for line in lines if (match := re.fullmatch(r"export (\w+)='(.*)'", line))}
