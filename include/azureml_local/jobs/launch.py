"""Starts the process of a command: its code, its argument list, its environment."""

from __future__ import annotations

import shutil
from pathlib import Path

from azureml_local.arm.grammar import tracking_uri
from azureml_local.engine.identity import TRACKING, Identity
from azureml_local.engine.processes import Process, base_environment
from azureml_local.jobs import template
from azureml_local.jobs.graph import Asset, Node
from azureml_local.jobs.history import History
from azureml_local.provisioning import everything
from azureml_local.settings import Settings
from azureml_local.storage.uris import Uris

# A step's MLflow token lasts as long as the longest job may.
TOKEN_SECONDS = 7 * 24 * 3600


class Launcher:
    """Starts the processes of steps, each in a working folder of its own."""

    def __init__(self, settings: Settings, identity: Identity, uris: Uris, history: History) -> None:
        self._settings, self._identity, self._uris, self._history = settings, identity, uris, history

    def work(self, node: Node) -> Path:
        """The working folder of a step; whoever starts the process removes it."""
        return self._settings.home / "jobs" / node.run_id

    async def start(self, node: Node, root: str, log: Path) -> Process:
        """Start a step of the job ``root``; its output goes to ``log``. What it runs in is made if it is missing.

        Raises:
            ArmError: if an input cannot be resolved.
            ProvisioningError: if what it runs in cannot be made.
            UnknownBindingError: if the command names what there is not.
        """
        inputs = self._inputs(node)
        await everything.ready(self._settings, [path for path in inputs.values() if path], log)
        work = self.work(node)
        code = work / "code"
        if node.component.code is not None and node.component.code.is_dir():
            shutil.copytree(node.component.code, code, dirs_exist_ok=True)
        code.mkdir(parents=True, exist_ok=True)
        command = template.argv(node.component.spec["command"], inputs, self._outputs(node))
        if command[0] in ("python", "python3"):
            command[0] = str(self._settings.compute_python)
        environment = self._environment(node, root, work)
        return await Process.start(command, folder=code, environment=environment, log=log)

    def _inputs(self, node: Node) -> dict[str, str | None]:
        return {
            name: str(self._uris.resolve(value.uri))
            if isinstance(value, Asset)
            else self._literal(node, name, value)
            for name, value in node.inputs.items()
        }

    def _literal(self, node: Node, name: str, value: str | None) -> str | None:
        """A literal as it is; an asset's URI that came as text, as some SDK nodes have it, as a path."""
        kind = str(node.component.inputs.get(name, {}).get("type", "string"))
        is_asset = kind.startswith("uri_") or kind.endswith("_model") or kind == "mltable"
        return str(self._uris.resolve(value)) if value is not None and is_asset else value

    def _outputs(self, node: Node) -> dict[str, str]:
        paths = {name: self._uris.resolve(uri) for name, uri in node.outputs.items()}
        for name, path in paths.items():
            is_file = node.component.outputs.get(name, {}).get("type") == "uri_file"
            (path.parent if is_file else path).mkdir(parents=True, exist_ok=True)
        return {name: str(path) for name, path in paths.items()}

    def _environment(self, node: Node, root: str, work: Path) -> dict[str, str]:
        run = self._history.get(node.run_id)
        token, _ = self._identity.issue(TRACKING, lifetime=TOKEN_SECONDS)
        return (
            base_environment(self._settings, work / "home")
            | node.environment
            | {
                "MLFLOW_TRACKING_URI": tracking_uri(self._settings.base_url),
                "MLFLOW_TRACKING_TOKEN": token,
                "MLFLOW_RUN_ID": node.run_id,
                "MLFLOW_EXPERIMENT_ID": run["experimentId"],
                "AZUREML_RUN_ID": node.run_id,
                "AZUREML_ROOT_RUN_ID": root,
                "AZUREML_EXPERIMENT_NAME": run["experimentName"],
            }
        )
