"""One command of a job: from its place in the cluster's queue to the end of its process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.clock import Clock
from azureml_local.engine.faults import Faults
from azureml_local.engine.processes import Process, tail
from azureml_local.jobs import template
from azureml_local.jobs.history import History
from azureml_local.jobs.launch import Launcher
from azureml_local.jobs.machines import Machines
from azureml_local.jobs.nodes import Node
from azureml_local.jobs.registration import Registrar
from azureml_local.provisioning.errors import ProvisioningError

# Lines of a failed step's log that its error carries.
ERROR_LINES = 20
# Code of a step that was ended because it ran longer than it may.
TIMED_OUT = "JobTimedOut"
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
    machines: Machines
    clock: Clock
    faults: Faults
    launcher: Launcher
    registrar: Registrar

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
            status = "Canceled" if failed.code == TIMED_OUT else "Failed"
            self.history.set_status(node.run_id, status, error=described)
            raise failed from error
        self.history.set_status(node.run_id, "Completed")

    async def _attempt(self, node: Node, root: str) -> bool:
        """Run once on the cluster; False if the node was preempted, and the step is to be queued again."""
        async with self.machines.take(node.run_id, node.demands):
            await self.clock.wait("jobs")
            self.history.set_status(node.run_id, "Preparing")
            try:
                await self._process(node, root)
            except _PreemptedError:
                self.history.warn(node.run_id, PREEMPTED.format(node.demands.compute))
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
        if self.faults.take_job("log_lost", node.name, root) is not None:
            log = self.launcher.work(node) / "lost.txt"
        try:
            exit_code = await self._exit_code(node, root, log)
        except ProvisioningError as error:
            raise StepFailedError(f"Step {node.name!r} was not started. {error}") from error
        finally:
            await asyncio.to_thread(self.launcher.end, node)
        if exit_code != 0:
            end = tail(log, ERROR_LINES)
            raise StepFailedError(
                f"Step {node.name!r} ended with exit code {exit_code}. Its log ends with:\n{end}"
            )
        self.history.set_status(node.run_id, "Finalizing")
        await self.clock.wait("jobs")
        self.registrar.register(node)

    async def _exit_code(self, node: Node, root: str, log: Path) -> int:
        process = await self.launcher.start(node, root, log)
        try:
            self.history.set_status(node.run_id, "Running")
            return await self._ended(process, node, root)
        finally:
            await process.stop()

    async def _ended(self, process: Process, node: Node, root: str) -> int:
        """The exit code of a process that ends by itself.

        Raises:
            _PreemptedError: if the fault of that kind meets the step before.
            StepFailedError: with the code ``JobTimedOut`` if it runs longer than it may.
        """
        low = self.machines.low_priority(node.demands)
        fault = self.faults.take_job("preemption", node.name, root) if low else None
        limit, preempted = node.demands.timeout, fault.delay_seconds if fault else None
        try:
            async with asyncio.timeout(
                min((it for it in (limit, preempted) if it is not None), default=None)
            ):
                return await process.wait()
        except TimeoutError as error:
            await process.stop()
            if preempted is not None and (limit is None or preempted <= limit):
                raise _PreemptedError from error
            message = f"Step {node.name!r} was canceled: it ran longer than its limit of {limit:g} seconds."
            raise StepFailedError(message, TIMED_OUT) from error
