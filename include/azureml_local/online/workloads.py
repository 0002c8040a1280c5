"""From a deployment's document to what its instances run: files mounted, variables, probes, memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_local.arm.durations import seconds
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.compute import sizes
from azureml_local.engine.processes import base_environment
from azureml_local.engine.store import Document, now
from azureml_local.online import images, settings
from azureml_local.online.instances import Probe, Workload
from azureml_local.online.pools import LOGS
from azureml_local.provisioning import everything
from azureml_local.provisioning.errors import ProvisioningError

if TYPE_CHECKING:
    from azureml_local.service import Service


async def provision(local: Service, document: Document) -> None:
    """Return once the deployment can start: what it runs in is made if it is missing.

    Raises:
        ArmError: 400 ``ImageBuildFailure`` if it cannot be made; 400 for a model that is not there.
    """
    if everything.is_made(local.settings):
        return
    model, log = document["properties"]["model"], local.containers.folder(document.key)
    inputs = [str(settings.model_folder(local, model))] if model else []
    try:
        await everything.ready(local.settings, inputs, log / LOGS["StorageInitializer"])
    except ProvisioningError as error:
        raise ArmError(400, "ImageBuildFailure", str(error), target="environmentId") from error


def prepare(local: Service, document: Document) -> Workload:
    """Mount a deployment's model and code, and tell what its instances run.

    Raises:
        ArmError: 400 ``ImageBuildFailure`` if its environment cannot be built; 400 for a model, code or
            environment that is not there.
    """
    properties, folder = document["properties"], local.containers.folder(document.key)
    folder.mkdir(parents=True, exist_ok=True)
    _build_image(local, properties, folder)
    model, variables = folder, {}
    if properties["model"]:
        model = settings.model_folder(local, properties["model"])
        variables["AZUREML_MODEL_DIR"] = str(_mount_model(model, properties["model"], folder))
        _note(folder, "StorageInitializer", f"Model of {_size(model)} bytes mounted from {model.name}.")
    command = [
        str(local.settings.compute_python),
        str(local.settings.serving_script),
        "--model-dir",
        str(model),
    ]
    code = properties.get("codeConfiguration")
    cwd = folder
    if code:
        cwd = _mount_code(local, code, folder)
        variables |= {"AZUREML_APP_ROOT": str(cwd), "AZUREML_ENTRY_SCRIPT": str(code["scoringScript"])}
        command += ["--scoring-script", str(cwd / str(code["scoringScript"]))]
    own = {name: str(value) for name, value in properties["environmentVariables"].items()}
    fault = local.faults.take_container(document.key)
    size = sizes.size(properties["instanceType"])
    return Workload(
        command=tuple(command),
        folder=folder,
        cwd=cwd,
        environment=base_environment(local.settings, folder / "home") | variables | own,
        probe=_probe(properties["livenessProbe"]),
        memory=fault.memory_mb << 20 if fault else int(size.memory_gb * 2**30),
        concurrency=int(properties["requestSettings"]["maxConcurrentRequestsPerInstance"]),
        patience=seconds(properties["requestSettings"]["requestTimeout"]),
    )


def _build_image(local: Service, properties: Json, folder: Path) -> None:
    try:
        lines = images.build(local, properties.get("environmentId"))
    except images.ImageBuildError as error:
        _note(folder, "InferenceServer", f"The image of the environment was not built: {error}.")
        raise ArmError(
            400,
            "ImageBuildFailure",
            f"The image of environment {properties['environmentId']!r} was not built. "
            f"The build ends with: {error}.",
            target="environmentId",
        ) from error
    for line in lines:
        _note(folder, "StorageInitializer", line)


def _mount_model(model: Path, model_id: str, folder: Path) -> Path:
    """The folder that ``AZUREML_MODEL_DIR`` names: it holds the model's file or folder by its own name."""
    words = model_id.replace(":", "/").split("/")
    name, version = (words[-3], words[-1]) if words[-2] == "versions" else (words[-2], words[-1])
    mounted = folder / "azureml-models" / name / version
    mounted.mkdir(parents=True, exist_ok=True)
    link = mounted / model.name
    link.unlink(missing_ok=True)
    os.symlink(model, link)
    return mounted


def _mount_code(local: Service, code: Json, folder: Path) -> Path:
    """A copy of the code asset, so that what a process writes beside its script stays out of the asset."""
    source = settings.code_folder(local, code)
    # A running process may still read the copy before: each start has its own.
    target = folder / "azureml-app" / str(len(list((folder / "azureml-app").glob("*"))) + 1) / source.name
    shutil.copytree(source, target)
    _note(folder, "StorageInitializer", f"Code of {_size(source)} bytes mounted from {source.name}.")
    return target


def _note(folder: Path, container: str, text: str) -> None:
    with (folder / LOGS[container]).open("a") as stream:
        stream.write(f"{now()} {text}\n")


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _probe(told: Json) -> Probe:
    return Probe(
        initial=seconds(told["initialDelay"]),
        period=seconds(told["period"]),
        timeout=seconds(told["timeout"]),
        failures=int(told["failureThreshold"]),
    )
