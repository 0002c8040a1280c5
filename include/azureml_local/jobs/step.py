"""One command of a job: from its place in the cluster's queue to the end of its process."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass

from azureml_local.arm.grammar import ArmError
from azureml_local.compute.nodes import Nodes
from azureml_local.engine.clock import Clock
from azureml_local.engine.faults import Faults
from azureml_local.engine.processes import Process, tail
from azureml_local.jobs import template
from azureml_local.jobs.graph import Node
from azureml_local.jobs.history import History
from azureml_local.jobs.launch import Launcher
from azureml_local.provisioning.errors import ProvisioningError

# Lines of a failed step's log that its error carries.
ERROR_LINES = 20
PREEMPTED = "The low-priority node of compute '{}' that ran this job was preempted; the job is queued again."


class StepFailedError(Exception):
    """A step's process failed; the message names the step, the exit code and the end of its log."""

    def __init__(self, message: str, code: str = "UserError") -> None:
        super().__init__(message)
        self.code = code


class _PreemptedError(Exception):
    """The low-priority node under a running step was taken away."""


@dataclass(frozen=True)
class Steps:
    """Runs the command nodes of jobs."""

    history: History
    nodes: Nodes
    clock: Clock
    faults: Faults
    launcher: Launcher

    async def run(self, node: Node, root: str) -> None:
        """Queue, prepare, run, finalize a node of the job ``root``; writes each state to run history.

        Raises:
            StepFailedError: if the process ends with another code than 0, or cannot be started.
        """
        self.history.set_status(node.run_id, "Queued")
        try:
            while not await self._attempt(node, root):
                self.history.set_status(node.run_id, "Queued")
        except (StepFailedError, ArmError, template.UnknownBindingError) as error:
            failed = (
                error
                if isinstance(error, StepFailedError)
                else StepFailedError(f"Step {node.name!r}: {error}")
            )
            described = {"error": {"code": failed.code, "message": str(failed)}}
            self.history.set_status(node.run_id, "Failed", error=described)
            raise failed from error
        self.history.set_status(node.run_id, "Completed")

    async def _attempt(self, node: Node, root: str) -> bool:
        """Run once on the cluster; False if the node was preempted, and the step is to be queued again."""
        async with self.nodes.take(node.compute, node.instances):
            await self.clock.wait("jobs")
            self.history.set_status(node.run_id, "Preparing")
            try:
                await self._process(node, root)
            except _PreemptedError:
                self.history.warn(node.run_id, PREEMPTED.format(node.compute))
                return False
        return True

    async def _process(self, node: Node, root: str) -> None:
        log = self.history.log_file(self.history.get(node.run_id))
        fault = self.faults.take_job("job_failed", node.name, root)
        if fault is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(f"{fault.message}\n")
            code = fault.code if "code" in fault.model_fields_set else "UserError"
            raise StepFailedError(f"Step {node.name!r} failed: {fault.message}", code)
        work = self.launcher.work(node)
        if self.faults.take_job("log_lost", node.name, root) is not None:
            log = work / "lost.txt"
        try:
            process = await self.launcher.start(node, root, log)
        except ProvisioningError as error:
            raise StepFailedError(f"Step {node.name!r} was not started. {error}") from error
        try:
            self.history.set_status(node.run_id, "Running")
            exit_code = await self._ended(process, node, root)
        finally:
            await process.stop()
            shutil.rmtree(work, ignore_errors=True)
        if exit_code != 0:
            end = tail(log, ERROR_LINES)
            raise StepFailedError(
                f"Step {node.name!r} ended with exit code {exit_code}. Its log ends with:\n{end}"
            )
        self.history.set_status(node.run_id, "Finalizing")
        await self.clock.wait("jobs")

    async def _ended(self, process: Process, node: Node, root: str) -> int:
        """The exit code; _PreemptedError if the fault of that kind meets the step before it ends."""
        low = self.nodes.low_priority(node.compute)
        fault = self.faults.take_job("preemption", node.name, root) if low else None
        if fault is None:
            return await process.wait()
        ending = asyncio.create_task(process.wait())
        done, _ = await asyncio.wait({ending}, timeout=fault.delay_seconds)
        if not done:
            await process.stop()
            await ending
            raise _PreemptedError
        return ending.result()
