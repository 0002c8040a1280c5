"""One command of a job: from its place in the cluster's queue to the end of its process."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from azureml_local.arm.grammar import ArmError
from azureml_local.compute.nodes import ClusterNodes
from azureml_local.engine.processes import Process, base_environment, tail
from azureml_local.jobs import template
from azureml_local.jobs.graph import Asset, Node
from azureml_local.provisioning import everything
from azureml_local.provisioning.errors import ProvisioningError
from azureml_local.settings import RESOURCE_GROUP, SUBSCRIPTION_ID, WORKSPACE, Settings
from azureml_local.storage import uris

if TYPE_CHECKING:
    from azureml_local.service import Service

TOKEN_SECONDS = 7 * 24 * 3600
"""A step's MLflow token lasts as long as the longest job may."""
ERROR_LINES = 20
"""Lines of a failed step's log that its error carries."""
PREEMPTED = "The low-priority node of compute '{}' that ran this job was preempted; the job is queued again."


class StepFailedError(Exception):
    """A step's process failed; the message names the step, the exit code and the end of its log."""

    def __init__(self, message: str, code: str = "UserError") -> None:
        super().__init__(message)
        self.code = code


class _PreemptedError(Exception):
    """The low-priority node under a running step was taken away."""


class CommandStep:
    """Runs one command node."""

    def __init__(self, local: Service, nodes: ClusterNodes, node: Node, root: str) -> None:
        self._local, self._nodes, self._node, self._root = local, nodes, node, root

    async def run(self) -> None:
        """Queue, prepare, run, finalize; writes each state to run history.

        Raises:
            StepFailedError: if the process ends with another code than 0, or cannot be started.
        """
        runs, node = self._local.history, self._node
        runs.set_status(node.run_id, "Queued")
        try:
            while not await self._attempt():
                runs.set_status(node.run_id, "Queued")
        except (StepFailedError, ArmError, template.UnknownBindingError) as error:
            failed = (
                error
                if isinstance(error, StepFailedError)
                else StepFailedError(f"Step {node.name!r}: {error}")
            )
            runs.set_status(
                node.run_id, "Failed", error={"error": {"code": failed.code, "message": str(failed)}}
            )
            raise failed from error
        runs.set_status(node.run_id, "Completed")

    async def _attempt(self) -> bool:
        """Run once on the cluster; False if the nodes were taken away, and the step is to be queued again."""
        async with self._nodes.take(self._node.compute, self._node.instances):
            await self._local.clock.wait("jobs")
            self._local.history.set_status(self._node.run_id, "Preparing")
            try:
                await self._process()
            except _PreemptedError:
                self._local.history.warn(self._node.run_id, PREEMPTED.format(self._node.compute))
                return False
        return True

    async def _process(self) -> None:
        runs, node = self._local.history, self._node
        log = runs.log_file(runs.get(node.run_id))
        fault = self._local.faults.take_job("job_failed", node.name, self._root)
        if fault is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(f"{fault.message}\n")
            told = fault.code if "code" in fault.model_fields_set else "UserError"
            raise StepFailedError(f"Step {node.name!r} failed: {fault.message}", told)
        inputs = self._inputs()
        try:
            await everything.ready(self._local.settings, [path for path in inputs.values() if path], log)
        except ProvisioningError as error:
            raise StepFailedError(f"Step {node.name!r} was not started. {error}") from error
        work = self._local.settings.home / "jobs" / node.run_id
        code = work / "code"
        if node.component.code is not None and node.component.code.is_dir():
            shutil.copytree(node.component.code, code, dirs_exist_ok=True)
        code.mkdir(parents=True, exist_ok=True)
        command = template.argv(node.component.spec["command"], inputs, self._outputs())
        if command[0] in ("python", "python3"):
            command[0] = str(self._local.settings.compute_python)
        if self._local.faults.take_job("log_lost", node.name, self._root) is not None:
            log = work / "lost.txt"
        process = await Process.start(command, folder=code, environment=self._environment(work), log=log)
        try:
            runs.set_status(node.run_id, "Running")
            exit_code = await self._ended(process)
        finally:
            await process.stop()
            shutil.rmtree(work, ignore_errors=True)
        if exit_code != 0:
            end = tail(log, ERROR_LINES)
            raise StepFailedError(
                f"Step {node.name!r} ended with exit code {exit_code}. Its log ends with:\n{end}"
            )
        runs.set_status(node.run_id, "Finalizing")
        await self._local.clock.wait("jobs")

    async def _ended(self, process: Process) -> int:
        """The exit code.

        Raises:
            _PreemptedError: if the fault of that kind meets the step before it ends.
        """
        faults, node = self._local.faults, self._node
        low = self._nodes.low_priority(node.compute)
        fault = faults.take_job("preemption", node.name, self._root) if low else None
        if fault is None:
            return await process.wait()
        ending = asyncio.create_task(process.wait())
        done, _ = await asyncio.wait({ending}, timeout=fault.delay_seconds)
        if not done:
            await process.stop()
            await ending
            raise _PreemptedError
        return ending.result()

    def _inputs(self) -> dict[str, str | None]:
        return {
            name: str(uris.resolve(self._local, value.uri))
            if isinstance(value, Asset)
            else self._literal(name, value)
            for name, value in self._node.inputs.items()
        }

    def _literal(self, name: str, value: str | None) -> str | None:
        """A literal as it is; an asset's URI that came as text, as some SDK nodes have it, as a path."""
        kind = str(self._node.component.inputs.get(name, {}).get("type", "string"))
        is_asset = kind.startswith("uri_") or kind.endswith("_model") or kind == "mltable"
        return str(uris.resolve(self._local, value)) if value is not None and is_asset else value

    def _outputs(self) -> dict[str, str]:
        paths = {name: uris.resolve(self._local, uri) for name, uri in self._node.outputs.items()}
        for name, path in paths.items():
            is_file = self._node.component.outputs.get(name, {}).get("type") == "uri_file"
            (path.parent if is_file else path).mkdir(parents=True, exist_ok=True)
        return {name: str(path) for name, path in paths.items()}

    def _environment(self, work: Path) -> dict[str, str]:
        run = self._local.history.get(self._node.run_id)
        token, _ = self._local.identity.issue("https://ml.azure.com", lifetime=TOKEN_SECONDS)
        return (
            base_environment(self._local.settings, work / "home")
            | self._node.environment
            | {
                "MLFLOW_TRACKING_URI": tracking_uri(self._local.settings),
                "MLFLOW_TRACKING_TOKEN": token,
                "MLFLOW_RUN_ID": self._node.run_id,
                "MLFLOW_EXPERIMENT_ID": run["experimentId"],
                "AZUREML_RUN_ID": self._node.run_id,
                "AZUREML_ROOT_RUN_ID": self._root,
                "AZUREML_EXPERIMENT_NAME": run["experimentName"],
            }
        )


def tracking_uri(settings: Settings) -> str:
    """Address of the workspace's MLflow service."""
    return (
        f"{settings.base_url}/mlflow/v1.0/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}"
    )
