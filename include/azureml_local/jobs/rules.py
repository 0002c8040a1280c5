"""Jobs as documents: what a PUT makes or changes, and what a deletion removes."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

from azureml_local.arm.grammar import ArmError, Json, not_found
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.operations import Operations
from azureml_local.engine.store import Document, Store
from azureml_local.jobs.history import OPEN, History
from azureml_local.jobs.runner import Runner
from azureml_local.jobs.submission import Planner
from azureml_local.mlflow.metrics import MetricStore
from azureml_local.routing import part
from azureml_local.settings import WORKSPACE
from azureml_local.storage.addresses import artifact_prefix
from azureml_local.storage.files import ARTIFACTS
from azureml_local.storage.http import Blobs

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")


class Jobs(Part):
    """The jobs of the workspace, in the store's kind ``jobs``; where each stands is in run history."""

    def __init__(
        self,
        store: Store,
        history: History,
        metrics: MetricStore,
        blobs: Blobs,
        planner: Planner,
        runner: Runner,
        operations: Operations,
    ) -> None:
        self._store, self._history, self._planner, self._runner = store, history, planner, runner
        self._metrics, self._blobs = metrics, blobs
        self._operations = operations
        operations.register("jobs.delete", self._delete)

    def put(self, name: str, properties: Json) -> tuple[Document, bool]:
        """Submit a job, or change what may be changed of it; also whether it is new.

        Raises:
            ArmError: 400 or 404 with the first thing that is wrong; 501 for kinds that are not served.
        """
        if not _NAME.fullmatch(name):
            raise ArmError(
                400,
                "UserError",
                f"Job name {name!r} is not valid: use letters, digits, - and _, at most 255.",
            )
        job = self._store.get("jobs", name)
        if job is not None:
            self._update(job, properties)
            return job, False
        root = self._planner.plan(name, properties)
        experiment = properties.get("experimentName") or "Default"
        job = self._store.put("jobs", name, {"properties": {**properties, "experimentName": experiment}})
        self._runner.submit(
            root,
            experiment,
            displayName=properties.get("displayName"),
            description=properties.get("description"),
            tags=properties.get("tags") or {},
            properties=properties.get("properties") or {},
            hidden=bool(properties.get("isArchived")),
        )
        return job, True

    def _update(self, job: Document, properties: Json) -> None:
        experiment = properties.get("experimentName")
        if experiment and experiment != job["properties"]["experimentName"]:
            raise ArmError(
                400,
                "UserError",
                f"A job named {job.key!r} exists in experiment {job['properties']['experimentName']!r}; "
                "its experiment cannot be changed. Use another name for a new job.",
                target="experimentName",
            )
        run = self._history.get(job.key)
        for name in ("displayName", "description"):
            if properties.get(name) is not None:
                run[name] = properties[name]
        run["hidden"] = bool(properties.get("isArchived", run["hidden"]))
        for name in ("tags", "properties"):
            run[name] |= properties.get(name) or {}
        self._history.replace(run)

    def begin_cancel(self, name: str) -> str | None:
        """End a job: the id of the operation, None where there is nothing left to end.

        Raises:
            ArmError: 404 if there is no such job.
        """
        if self._store.get("jobs", name) is None:
            raise not_found("The job", name, f"workspace {WORKSPACE}")
        if self._history.get(name)["status"] not in OPEN:
            return None
        return self._operations.begin("jobs.cancel", name)

    def begin_delete(self, name: str) -> str | None:
        """Remove a job with its runs: the id of the operation, None if there is no such job."""
        if self._store.get("jobs", name) is None:
            return None
        return self._operations.begin("jobs.delete", name)

    async def _delete(self, name: str) -> None:
        await self._runner.cancel(name)
        for run in self._history.family(name):
            # All that lies under the run's name, so that a new job of this name begins with nothing.
            self._metrics.delete(run.key)
            await asyncio.to_thread(self._blobs.delete_below, ARTIFACTS, artifact_prefix(run.key))
        self._history.delete(name)
        self._store.delete("jobs", name)


JobsDep = Annotated[Jobs, part(Jobs)]
