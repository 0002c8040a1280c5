"""Runs jobs: walks a pipeline's nodes as their data become ready and keeps run history, however it ends."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any

from azureml_local.arm.grammar import ArmError, Json
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.operations import Operations
from azureml_local.engine.store import now
from azureml_local.jobs.history import ACTIVE
from azureml_local.jobs.nodes import Asset, Node
from azureml_local.jobs.step import StepFailedError, Steps
from azureml_local.routing import part

log = logging.getLogger(__name__)


class Runner(Part):
    """All jobs under way, one background task a job."""

    def __init__(self, steps: Steps, operations: Operations) -> None:
        self._steps, self._history = steps, steps.history
        self._clock, self._faults = steps.clock, steps.faults
        operations.register("jobs.cancel", self.cancel)
        self._jobs: dict[str, asyncio.Task[None]] = {}

    def submit(self, root: Node, experiment: str, **fields: Any) -> None:
        """Write down every run of the job, then start it. ``fields`` go into the root's run."""
        self._history.create(
            root.run_id,
            _kind(root),
            experiment,
            compute=root.demands.compute,
            **_described(root),
            **fields,
        )
        task = asyncio.get_running_loop().create_task(self._job(root), name=f"job {root.run_id}")
        self._jobs[root.run_id] = task
        task.add_done_callback(lambda _: self._jobs.pop(root.run_id, None))

    async def cancel(self, job: str) -> None:
        """End a job and all its processes; returns when they are gone. A job that is over stays as it is."""
        self._history.set_status(job, "CancelRequested")
        await self._end(job)
        self._close_family(job, "Canceled", None)

    async def stop(self) -> None:
        """End all processes because the service ends; the jobs are accounted for at the next start."""
        tasks = list(self._jobs.values())
        # All before any is awaited: the end of one would hand its nodes to the next in line, and start that.
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def start(self) -> None:
        """Fail the jobs that were under way when the service ended, with that cause."""
        message = "The service that ran this job was stopped while the job was under way."
        error = history_error("ServiceInterrupted", message)
        with self._history.together():
            for run in self._history.all():
                if run["status"] in ACTIVE and run["kind"] != "mlflow":
                    self._steps.launcher.recover(run.key)
                    self._history.set_status(run.key, "Failed", error=error)

    async def _end(self, job: str) -> None:
        task = self._jobs.get(job)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _job(self, root: Node) -> None:
        try:
            await (self._run if root.is_pipeline else self._node)(root, root.run_id)
        except _EndedAsError as ended:
            self._close_family(root.run_id, ended.status, None)
        except (StepFailedError, ArmError) as error:
            self._close_family(root.run_id, "Canceled", None, but=root.run_id)
            self._history.set_status(root.run_id, "Failed", error=_error_of(error))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("Job %s broke", root.run_id)
            self._close_family(root.run_id, "Failed", history_error("InternalServerError", repr(error)))

    def _close_family(self, root: str, status: str, error: Json | None, *, but: str = "") -> None:
        for run in self._history.family(root):
            if run.key != but and run["kind"] != "mlflow":
                self._history.set_status(run.key, status, error=error)

    async def _run(self, node: Node, root: str) -> None:
        if not node.is_pipeline:
            await self._steps.run(node, root)
            return
        await self._clock.wait("jobs")
        self._history.set_status(node.run_id, "Preparing")
        await self._clock.wait("jobs")
        self._history.set_status(node.run_id, "Running")
        try:
            await self._walk(node, root)
        except (StepFailedError, ArmError) as error:
            self._history.say(node.run_id, f"Execution of the pipeline failed, cancel what runs: {error}")
            self._history.set_status(node.run_id, "Failed", error=_error_of(error))
            raise
        self._history.say(node.run_id, "Finishing experiment: no runs left and nothing to schedule.")
        self._history.set_status(node.run_id, "Finalizing")
        await self._clock.wait("jobs")
        self._register(node)
        self._history.set_status(node.run_id, "Completed")

    def _register(self, pipeline: Node) -> None:
        try:
            self._steps.registrar.register(pipeline)
        except ArmError as error:
            self._history.set_status(pipeline.run_id, "Failed", error=_error_of(error))
            raise

    async def _walk(self, pipeline: Node, root: str) -> None:
        """Run the nodes, each as soon as those that it reads from are done."""
        waiting = {node.name: node for node in pipeline.nodes}
        running: dict[asyncio.Task[None], Node] = {}
        done: set[str] = set()
        failure: Exception | None = None
        try:
            while waiting or running:
                ready = (
                    [node for node in waiting.values() if node.after <= done]
                    if self._may_go_on(pipeline, failure)
                    else []
                )
                self._start(pipeline, root, ready, running)
                for node in ready:
                    del waiting[node.name]
                if not running:
                    break
                finished, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    node = running.pop(task)
                    error = task.exception()
                    if error is None:
                        done.add(node.name)
                        self._history.say(pipeline.run_id, f"Completing processing run id {node.run_id}.")
                    elif isinstance(error, StepFailedError | ArmError) and pipeline.goes_on:
                        failure = failure or error
                    else:
                        raise error
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)
        if failure is not None:
            raise failure

    @staticmethod
    def _may_go_on(pipeline: Node, failure: Exception | None) -> bool:
        return failure is None or pipeline.goes_on

    def _start(
        self, pipeline: Node, root: str, ready: list[Node], running: dict[asyncio.Task[None], Node]
    ) -> None:
        if not ready:
            return
        above = self._history.get(pipeline.run_id)
        listed = ", ".join(node.run_id for node in ready[:5])
        self._history.say(pipeline.run_id, f"Submitting {len(ready)} runs, first five are: {listed}")
        for node in ready:
            self._history.create(
                node.run_id,
                "step" if node.is_pipeline else "command",
                above["experimentName"],
                parent=pipeline.run_id,
                displayName=node.name,
                compute=node.demands.compute,
                **_described(node),
                properties={"azureml.moduleName": node.name, "azureml.moduleid": node.component.id},
            )
            running[asyncio.create_task(self._node(node, root), name=f"run {node.run_id}")] = node

    async def _node(self, node: Node, root: str) -> None:
        fault = self._faults.take_job("job_status", node.name, root)
        if fault is not None:
            self._history.set_status(node.run_id, fault.job_state)
            raise _EndedAsError(fault.job_state)
        await self._run(node, root)


class _EndedAsError(Exception):
    """The whole job ends in a state that is neither success nor failure."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


RunnerDep = Annotated[Runner, part(Runner)]


def history_error(code: str, message: str) -> Json:
    """An error as run history keeps it."""
    return {"error": {"code": code, "message": message}, "time": now(), "componentName": "local-runner"}


def _error_of(error: StepFailedError | ArmError) -> Json:
    return history_error(error.code, str(error))


def _kind(node: Node) -> str:
    return "pipeline" if node.is_pipeline else "command"


def _described(node: Node) -> Json:
    """What run history keeps of a node: its data, and what its process is started with."""
    return {
        "inputs": {name: value.uri for name, value in node.inputs.items() if isinstance(value, Asset)},
        "outputs": _outputs(node),
        "definition": None if node.is_pipeline else _definition(node),
    }


def _definition(node: Node) -> Json:
    spec = node.component.spec
    return {
        "command": spec.get("command"),
        "environment": {"name": spec.get("environment")},
        "environmentVariables": node.environment,
        "nodeCount": node.demands.instances,
    }


def _outputs(node: Node) -> Json:
    return {name: {"uri": output.uri, "type": output.kind} for name, output in node.outputs.items()}
