"""``python -m azureml_local``: serve in the foreground until SIGINT or SIGTERM."""

from __future__ import annotations

import json
import logging
import sys

import uvicorn

from azureml_local import settings
from azureml_local.front import tls
from azureml_local.front.app import create_app
from azureml_local.front.connections import DroppableProtocol
from azureml_local.service import Service


def write_client_files(config: settings.Settings, identity_header: str, files: tls.Certificates) -> None:
    """Write ``azure.env`` and ``config.json``: all that a client needs to know."""
    base, home = config.base_url, config.home
    environment = {
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
    (home / "azure.env").touch(mode=0o600)
    lines = [f"export {name}='{value}'\n" for name, value in environment.items()]
    (home / "azure.env").write_text("".join(lines))
    (home / "config.json").write_text(
        json.dumps(
            {
                "subscription_id": settings.SUBSCRIPTION_ID,
                "resource_group": settings.RESOURCE_GROUP,
                "workspace_name": settings.WORKSPACE,
            },
            indent=2,
        )
    )


def main() -> int:
    """Serve until stopped; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = settings.Settings.from_environment()
        service = Service(config)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    files = tls.ensure(config)
    write_client_files(config, service.identity.header, files)
    print(
        f"Local Azure ML at {config.base_url}; point a script at it: source {config.home / 'azure.env'}",
        flush=True,
    )
    if config.exposed:
        logging.warning("Anybody who reaches %s may use this service and its control routes.", config.bind)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(service),
            host=config.bind,
            port=config.port,
            ssl_certfile=str(files.server),
            http=DroppableProtocol,
            log_level="warning",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
        )
    )
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
