"""Starts the process of a command: its code, its argument list, its environment."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from azureml_local.arm.grammar import PROVIDER, tracking_uri
from azureml_local.engine.identity import TRACKING, Identity
from azureml_local.engine.processes import Process, base_environment
from azureml_local.jobs import template
from azureml_local.jobs.artifacts import Artifacts
from azureml_local.jobs.history import History
from azureml_local.jobs.mounts import Mounts
from azureml_local.jobs.nodes import Node
from azureml_local.provisioning import everything
from azureml_local.settings import RESOURCE_GROUP, SUBSCRIPTION_ID, WORKSPACE, WORKSPACE_GUID, Settings

# A step's MLflow token lasts as long as the longest job may.
TOKEN_SECONDS = 7 * 24 * 3600
_SCOPE = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}/providers/{PROVIDER}/workspaces/{WORKSPACE}"


class Launcher:
    """Starts the processes of steps, each in a working folder of its own."""

    def __init__(
        self, settings: Settings, identity: Identity, mounts: Mounts, history: History, artifacts: Artifacts
    ) -> None:
        self._settings, self._identity, self._mounts, self._history = settings, identity, mounts, history
        self._artifacts = artifacts

    def work(self, node: Node) -> Path:
        """The working folder of a step; :meth:`end` removes it."""
        return self._artifacts.work(node.run_id)

    async def start(self, node: Node, root: str, log: Path) -> Process:
        """Start a step of the job ``root``; its output goes to ``log``. What it runs in is made if it is missing.

        Raises:
            ArmError: if an input cannot be resolved.
            ProvisioningError: if what it runs in cannot be made.
            UnknownBindingError: if the command names what there is not.
        """
        work = self.work(node)
        await everything.ready(self._settings, self._mounts.places(node), log)
        inputs = await self._mounts.inputs(node, work / "inputs")
        outputs = self._mounts.outputs(node)
        code = self._artifacts.code(node.run_id)
        if node.component.code is not None and node.component.code.is_dir():
            shutil.copytree(node.component.code, code, dirs_exist_ok=True)
        self._artifacts.open(node.run_id)
        command = template.argv(node.component.spec["command"], inputs, outputs)
        environment = self._environment(node, root, work) | _parameters(inputs, outputs)
        return await Process.start(command, folder=code, environment=environment, log=log)

    def end(self, node: Node) -> None:
        """Keep what the step wrote to ``./outputs`` and ``./logs``, and remove its working folder."""
        self._artifacts.close(node.run_id)

    def recover(self, run_id: str) -> None:
        """Keep what a step wrote before the service was killed."""
        self._artifacts.close(run_id)

    def _environment(self, node: Node, root: str, work: Path) -> dict[str, str]:
        run = self._history.get(node.run_id)
        token, _ = self._identity.issue(TRACKING, lifetime=TOKEN_SECONDS)
        experiment = run["experimentName"]
        base = base_environment(self._settings, work / "home")
        base["PATH"] = f"{self._python(work)}:{base['PATH']}"
        return (
            base
            | node.environment
            | {
                "MLFLOW_TRACKING_URI": tracking_uri(self._settings.base_url),
                "MLFLOW_TRACKING_TOKEN": token,
                "MLFLOW_RUN_ID": node.run_id,
                "MLFLOW_EXPERIMENT_ID": run["experimentId"],
                "MLFLOW_EXPERIMENT_NAME": experiment,
                "AZUREML_RUN_ID": node.run_id,
                "AZUREML_ROOT_RUN_ID": root,
                "AZUREML_RUN_TOKEN": token,
                "AZUREML_RUN_TOKEN_EXPIRY": str(int(time.time()) + TOKEN_SECONDS),
                "AZUREML_EXPERIMENT_NAME": experiment,
                "AZUREML_EXPERIMENT_ID": run["experimentId"],
                "AZUREML_EXPERIMENT_SCOPE": f"{_SCOPE}/experiments/{experiment}",
                "AZUREML_WORKSPACE_ID": WORKSPACE_GUID,
                "AZUREML_WORKSPACE_SCOPE": _SCOPE,
                "AZUREML_SERVICE_ENDPOINT": self._settings.base_url,
                "AZUREML_DISCOVERY_SERVICE_ENDPOINT": f"{self._settings.base_url}/discovery",
                "AZUREML_ARM_SUBSCRIPTION": SUBSCRIPTION_ID,
                "AZUREML_ARM_RESOURCEGROUP": RESOURCE_GROUP,
                "AZUREML_ARM_WORKSPACE_NAME": WORKSPACE,
                "AZUREML_ARM_PROJECT_NAME": experiment,
            }
            | _distribution(node)
        )

    def _python(self, work: Path) -> Path:
        """A folder in which ``python`` is the compute environment's, whatever its file is called."""
        folder = work / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("python", "python3"):
            # No link: a virtual environment is found by the path that its interpreter is called by.
            (folder / name).write_text(f'#!/bin/sh\nexec "{self._settings.compute_python}" "$@"\n')
            (folder / name).chmod(0o755)
        return folder


def _parameters(inputs: dict[str, str | Path | None], outputs: dict[str, str | Path]) -> dict[str, str]:
    """What each input and output is, for programs that read it from the environment."""
    given = {f"AZURE_ML_INPUT_{name}": str(value) for name, value in inputs.items() if value is not None}
    return given | {f"AZURE_ML_OUTPUT_{name}": str(value) for name, value in outputs.items()}


def _distribution(node: Node) -> dict[str, str]:
    """The variables by which the one process of a distribution finds itself."""
    if node.demands.distribution != "pytorch" or node.demands.processes != 1:
        return {}
    own = {"RANK": "0", "LOCAL_RANK": "0", "NODE_RANK": "0", "WORLD_SIZE": "1"}
    return own | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
