"""How often the local Azure ML validates one body: counted in the running service, whatever its code is called.

What it checks by hand after pydantic is not counted.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from tests.support.azureml_service import ROOT, AzureMLLocal, running

COUNTER = """
import os, sys, threading

def note(frame, event, function):
    validator = getattr(function, "__self__", None)
    if event == "c_call" and type(validator).__name__ == "SchemaValidator":
        if function.__name__ in ("validate_python", "validate_json"):
            with open(os.environ["VALIDATIONS"], "a") as log:
                log.write(validator.title + "\\n")

if "azureml_local" in " ".join(sys.orig_argv):
    threading.setprofile(note)
    sys.setprofile(note)
"""
"""Runs in the service's process before everything else; writes down each call of pydantic's validators."""

PARAMETER = re.compile(r"(?:(?:default|nullable)\[)*(?:str|int|float|bool)\b")
"""What a validator of a path's or query's parameter is called."""

VERSION = "2023-04-01-preview"
ENVIRONMENT = "azureml://registries/azureml/environments/acft-hf-nlp-gpu/versions/112"
MODEL = "azureml://registries/azureml/models/Phi-3-mini-4k-instruct/versions/16"
JOB: dict[str, object] = {
    "jobType": "Command",
    "command": "true",
    "environmentId": ENVIRONMENT,
    "computeId": "serverless",
}
DEPLOYMENT: dict[str, object] = {
    "location": "eastus",
    "properties": {
        "endpointComputeType": "Managed",
        "model": MODEL,
        "instanceType": "Standard_NC24ads_A100_v4",
    },
    "sku": {"name": "Default", "capacity": 1},
}


def count() -> tuple[int, int]:
    """Validations of a job's PUT and of a deployment's PUT by models of the service."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "validations.txt")
        Path(folder, "sitecustomize.py").write_text(COUNTER)
        paths = f"{folder}:{ROOT / 'include'}"
        with running(
            Path(folder, "home"), PYTHONPATH=paths, VALIDATIONS=str(log), AZUREML_LOCAL_TIME="manual"
        ) as service:
            return _of_a_job(service, log), _of_a_deployment(service, log)


def _of_a_job(service: AzureMLLocal, log: Path) -> int:
    return _put(service, log, "/jobs/counted", {"properties": JOB})


def _of_a_deployment(service: AzureMLLocal, log: Path) -> int:
    endpoint: dict[str, object] = {"location": "eastus", "properties": {"authMode": "Key"}}
    with service.time("immediate"):
        _put(service, log, "/onlineEndpoints/counted", endpoint)
    return _put(service, log, "/onlineEndpoints/counted/deployments/main", DEPLOYMENT)


def _put(service: AzureMLLocal, log: Path, path: str, body: dict[str, object]) -> int:
    """Send a body; how often it was validated, without what its token takes."""
    log.write_text("")
    service.token()
    for_the_token = _objects(log)
    answer = service.arm("PUT", path, version=VERSION, json=body)
    assert answer.is_success, answer.text
    return _objects(log) - 2 * for_the_token


def _objects(log: Path) -> int:
    """Validations of more than a parameter of the address."""
    return sum(not PARAMETER.match(title) for title in log.read_text().splitlines())
