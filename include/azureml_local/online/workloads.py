"""From a deployment's document to what its replicas run: files mounted, variables, probes, memory."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from azureml_local.arm.durations import seconds
from azureml_local.arm.grammar import ArmError, Json
from azureml_local.compute import sizes
from azureml_local.engine.faults import Faults
from azureml_local.engine.processes import base_environment
from azureml_local.engine.store import Document
from azureml_local.online.images import ImageBuildError, Images
from azureml_local.online.logs import INITIALIZER, LOGS, SERVER, write_line
from azureml_local.online.sources import Sources
from azureml_local.provisioning import everything
from azureml_local.provisioning.errors import ProvisioningError
from azureml_local.settings import Settings
from azureml_local.storage.binding import bind


@dataclass(frozen=True)
class Probe:
    """When a server counts as dead; seconds."""

    # Before the first question.
    initial: float
    # From one question to the next.
    period: float
    # For one answer.
    timeout: float
    # Failed questions in a row after which the server is ended and started again.
    failures: int

    @property
    def patience(self) -> float:
        """Seconds that a server has to become healthy."""
        return self.initial + self.period * self.failures


@dataclass(frozen=True)
class Workload:
    """What each replica of a deployment runs."""

    # The command line without the port.
    command: tuple[str, ...]
    # Where its log lies.
    folder: Path
    # Folder that it runs in.
    cwd: Path
    # All of its variables.
    environment: dict[str, str] = field(repr=False)
    # Its liveness probe.
    probe: Probe
    # Bytes that it may hold.
    memory: int
    # Requests that it is handed at once.
    concurrency: int = 1
    # Seconds that a request may take, and that a replica has to end its last ones.
    request_timeout: float = 5.0


class Workloads:
    """Prepares what replicas run."""

    def __init__(self, settings: Settings, faults: Faults, sources: Sources, images: Images) -> None:
        self._settings, self._faults, self._sources, self._images = settings, faults, sources, images

    async def provision(self, document: Document, folder: Path) -> None:
        """Return once the deployment can start: what it runs in is made if it is missing.

        Raises:
            ArmError: 400 ``ImageBuildFailure`` if it cannot be made; 400 for a model that is not there.
        """
        if everything.is_made(self._settings):
            return
        model = document["properties"]["model"]
        inputs = [str(self._sources.model_folder(model))] if model else []
        try:
            await everything.ready(self._settings, inputs, folder / LOGS[INITIALIZER])
        except ProvisioningError as error:
            raise ArmError(400, "ImageBuildFailure", str(error), target="environmentId") from error

    def prepare(self, document: Document, folder: Path) -> Workload:
        """Check the environment, and mount the model and the code into the deployment's folder.

        Raises:
            ArmError: 400 ``ImageBuildFailure`` if the environment cannot be built; 400 for a model, code or
                environment that is not there.
        """
        properties = document["properties"]
        folder.mkdir(parents=True, exist_ok=True)
        self._build_image(properties.get("environmentId"), folder)
        model, variables = self._mount_model(properties["model"], folder)
        command = [str(self._settings.compute_python), str(self._settings.serving_script)]
        command += ["--model-dir", str(model)]
        code, cwd = properties.get("codeConfiguration"), folder
        if code:
            cwd = self._mount_code(code, folder)
            variables |= {"AZUREML_APP_ROOT": str(cwd), "AZUREML_ENTRY_SCRIPT": str(code["scoringScript"])}
            command += ["--scoring-script", str(cwd / str(code["scoringScript"]))]
        own = {name: str(value) for name, value in properties["environmentVariables"].items()}
        return Workload(
            command=tuple(command),
            folder=folder,
            cwd=cwd,
            environment=base_environment(self._settings, folder / "home") | variables | own,
            probe=_probe(properties["livenessProbe"]),
            memory=self._memory(document),
            concurrency=int(properties["requestSettings"]["maxConcurrentRequestsPerInstance"]),
            request_timeout=seconds(properties["requestSettings"]["requestTimeout"]),
        )

    def _memory(self, document: Document) -> int:
        fault = self._faults.take_container(document.key)
        if fault:
            return fault.memory_mb << 20
        return int(sizes.size(document["properties"]["instanceType"]).memory_gb * 2**30)

    def _build_image(self, environment_id: str | None, folder: Path) -> None:
        try:
            lines = self._images.build(environment_id)
        except ImageBuildError as error:
            write_line(folder, SERVER, f"The image of the environment was not built: {error}.")
            raise ArmError(
                400,
                "ImageBuildFailure",
                f"The image of environment {environment_id!r} was not built. The build ends with: {error}.",
                target="environmentId",
            ) from error
        for line in lines:
            write_line(folder, INITIALIZER, line)

    def _mount_model(self, model_id: str | None, folder: Path) -> tuple[Path, dict[str, str]]:
        """The model's file or folder, and the variable that names the folder it is mounted in."""
        if not model_id:
            return folder, {}
        model = self._sources.model_folder(model_id)
        words = model_id.replace(":", "/").split("/")
        name, version = (words[-3], words[-1]) if words[-2] == "versions" else (words[-2], words[-1])
        mounted = folder / "azureml-models" / name / version
        mounted.mkdir(parents=True, exist_ok=True)
        bind(model, mounted / model.name)
        write_line(folder, INITIALIZER, f"Model of {_size(model)} bytes mounted from {model.name}.")
        return mounted / model.name, {"AZUREML_MODEL_DIR": str(mounted)}

    def _mount_code(self, code: Json, folder: Path) -> Path:
        """A copy of the code asset, so that what a process writes beside its script stays out of the asset."""
        source = self._sources.code_folder(code)
        # A running process may still read the copy before: each start has its own.
        target = folder / "azureml-app" / str(len(list((folder / "azureml-app").glob("*"))) + 1) / source.name
        shutil.copytree(source, target)
        write_line(folder, INITIALIZER, f"Code of {_size(source)} bytes mounted from {source.name}.")
        return target


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _probe(given: Json) -> Probe:
    return Probe(
        initial=seconds(given["initialDelay"]),
        period=seconds(given["period"]),
        timeout=seconds(given["timeout"]),
        failures=int(given["failureThreshold"]),
    )
