"""Serves in the foreground until SIGINT or SIGTERM."""

from __future__ import annotations

import gc
import logging
import os
from functools import partial

import uvicorn

from azureml_local.cli import client_files
from azureml_local.cli.instance import Instance
from azureml_local.front import tls
from azureml_local.front.app import create_app
from azureml_local.front.connections import GuardedProtocol
from azureml_local.service import Service
from azureml_local.settings import Settings


def run(settings: Settings) -> int:
    """Serve until stopped; returns the exit code.

    Raises:
        RuntimeError: if another service runs with the same home.
        ValueError: if the settings name what there is not.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Whatever is written, here and by jobs and deployments, is for the owner alone.
    os.umask(0o077)
    instance = Instance(settings.home)
    instance.claim(settings.base_url)
    server = _server(settings)
    server.run()
    return 0 if server.started else 1


def _server(settings: Settings) -> uvicorn.Server:
    service = Service(settings)
    files = tls.ensure(settings)
    client_files.write(settings, service.identity.header, files)
    where = settings.home / "azure.env"
    print(f"Local Azure ML at {settings.base_url}; point a script at it: source {where}", flush=True)
    if settings.exposed:
        logging.warning("Anybody who reaches %s may use this service and its control routes.", settings.bind)
    app = create_app(service)
    gc.enable()
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.bind,
            port=settings.port,
            ssl_certfile=str(files.server),
            http=partial(GuardedProtocol, header_seconds=settings.request_seconds),  # type: ignore[arg-type]
            ws="none",
            log_level="warning",
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
        )
    )
