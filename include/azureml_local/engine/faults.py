"""Injected failures: what went wrong in Azure on somebody's worst day, on demand.

A fault waits until something matches it, happens ``count`` times (None: always), and is then used up.
"""

from __future__ import annotations

import asyncio
import random
from fnmatch import fnmatchcase
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.lifecycle import Part

RequestKind = Literal["status", "delay", "reset", "lost_response", "late_response", "malformed"]
JobKind = Literal["job_failed", "job_status", "preemption", "log_lost"]
Kind = Literal[RequestKind, JobKind, "operation_failed", "operation_stuck", "out_of_memory"]


class Fault(BaseModel):
    """One fault, as ``POST /_local/faults`` takes it."""

    model_config = ConfigDict(extra="forbid")

    # ``status`` answers instead of acting; ``delay`` waits first; ``reset`` drops the connection before acting;
    # ``lost_response`` acts and then drops it; ``late_response`` acts, and answers after ``delay_seconds``;
    # ``malformed`` answers 200 with half a JSON object instead of acting; ``operation_failed`` and
    # ``operation_stuck`` end or hang an operation of ``resource``; ``job_failed`` fails a job's ``step``;
    # ``job_status`` puts a job into ``job_state``; ``preemption`` takes the node of a low-priority cluster from
    # a running step after ``delay_seconds``, and the step is queued again; ``log_lost`` keeps a step's log from
    # ever being uploaded; ``out_of_memory`` leaves containers of a deployment, ``path`` being a pattern on
    # ``<endpoint>/<deployment>``, only ``memory_mb``.
    kind: Kind
    method: str = "*"
    # Shell pattern on the URL path; so are ``agent`` on the ``User-Agent``, ``job`` on a job's name, and
    # ``key`` on the operation's resource: ``<endpoint>/<deployment>``, ``<cluster>``.
    path: str = "*"
    agent: str = "*"
    # How many times; None for always.
    count: int | None = 1
    # Chance from 0 to 1 that a match counts.
    probability: float = Field(1.0, ge=0, le=1)
    status: int = Field(500, ge=400, le=599)
    # Azure's error code in the answer, the operation, or the failed step (there UserError by default).
    code: str = "InternalServerError"
    message: str = "A fault was injected by the local Azure ML's control route."
    headers: dict[str, str] = Field(default_factory=dict)
    # Seconds to wait first; under ``operation_stuck`` the end of the hanging, 0 for never.
    delay_seconds: float = Field(0.0, ge=0)
    # Noun of the operation, or noun and verb: ``onlineEndpoints.create``.
    resource: str = "*"
    # Name of the pipeline step, or of the command job; any if empty.
    step: str = ""
    job: str = "*"
    key: str = "*"
    job_state: str = "NotResponding"
    # MiB that a container may hold; 1 kills it at once.
    memory_mb: int = Field(1, ge=1)


class Faults(Part):
    """The faults that wait to happen."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        self.waiting.append(fault)

    def clear(self) -> None:
        """Disarm all; operations that hang already stay so."""
        self.waiting.clear()

    def take_request(self, method: str, path: str, agent: str = "") -> Fault | None:
        """The fault that meets this request, used up by one."""
        for fault in self.waiting:
            if (
                fault.kind in get_args(RequestKind)
                and fault.method in ("*", method)
                and fnmatchcase(path, fault.path)
                and fnmatchcase(agent, fault.agent)
            ):
                return self._use(fault)
        return None

    def take_job(self, kind: JobKind, step: str = "", job: str = "") -> Fault | None:
        """The fault that meets a job, or one step of it, used up by one."""
        for fault in self.waiting:
            if fault.kind == kind and fault.step in ("", step) and fnmatchcase(job, fault.job):
                return self._use(fault)
        return None

    def take_container(self, key: str) -> Fault | None:
        """The fault that meets a deployment, ``<endpoint>/<deployment>``, used up by one start."""
        for fault in self.waiting:
            if fault.kind == "out_of_memory" and fnmatchcase(key, fault.path):
                return self._use(fault)
        return None

    async def on_operation(self, name: str, key: str) -> None:
        """Called by the engine before an operation's work; its name is ``<noun>.<verb>``.

        Raises:
            ArmError: with the fault's code, if one of kind ``operation_failed`` matches.
        """
        for fault in list(self.waiting):
            if fault.kind not in ("operation_failed", "operation_stuck"):
                continue
            named = fnmatchcase(name, fault.resource) or fnmatchcase(name.split(".", 1)[0], fault.resource)
            if not (named and fnmatchcase(key, fault.key)):
                continue
            if self._use(fault) is None:
                continue
            if fault.kind == "operation_stuck":
                await _hang(fault.delay_seconds)
                return
            raise ArmError(fault.status, fault.code, fault.message, target=key)

    def _use(self, fault: Fault) -> Fault | None:
        if random.random() >= fault.probability:  # noqa: S311 - chance of a test fault, not a secret
            return None
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                self.waiting.remove(fault)
        return fault


async def _hang(seconds: float) -> None:
    if seconds:
        await asyncio.sleep(seconds)
    else:
        await asyncio.Event().wait()
