"""The long-running-operation engine: a request is accepted, work goes on, the caller polls.

The part that owns a noun registers the work of its verbs: ``operations.register("jobs.cancel", self._cancel)``.
The name and the resource's key are stored before the request is answered, so that an operation cut short by a
crash is run again at the next start: handlers must be safe to run twice.
Source of headers and bodies: the operationsStatus answers of MFE (2022-02-01-preview) and of computes
(2023-08-01-preview).
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Literal

from azureml_local.arm.grammar import LOCATION_PATH, ArmError, Json, Scope
from azureml_local.engine.clock import Clock
from azureml_local.engine.faults import Faults
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Document, Store, now
from azureml_local.settings import LOCATION, SUBSCRIPTION_ID, WORKSPACE_GUID

log = logging.getLogger(__name__)

# The work of a verb on the resource of a key.
Handler = Callable[[str], Awaitable[None]]
Family = Literal["mfe", "computes"]


class Operations(Part):
    """Runs handlers in the background and keeps their state."""

    def __init__(self, store: Store, clock: Clock, faults: Faults, base_url: str) -> None:
        self._store, self._clock, self._faults, self._base_url = store, clock, faults, base_url
        self._handlers: dict[str, Handler] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def register(self, name: str, handler: Handler) -> None:
        """Let a verb do this work; ``name`` is ``<noun>.<verb>``."""
        self._handlers[name] = handler

    def begin(self, name: str, key: str) -> str:
        """Store and start an operation; returns its id; KeyError if no handler has that name."""
        self._handlers[name]
        operation = str(uuid.uuid4())
        self._store.put(
            "operations", operation, {"name": name, "key": key, "status": "InProgress", "started": now()}
        )
        self._start(operation, name, key)
        return operation

    def active(self, noun: str, key: str) -> Document | None:
        """The operation under way on a resource, if any."""
        for document in self._store.find("operations", "key", key):
            if document["status"] == "InProgress" and document["name"].startswith(f"{noun}."):
                return document
        return None

    async def start(self) -> None:
        """Start again what was under way when the service ended."""
        for document in self._store.find("operations", "status", "InProgress"):
            self._start(document.key, document["name"], document["key"])

    async def abandon(self, noun: str, key: str) -> None:
        """Stop the operation under way on a resource, because the resource is being deleted."""
        document = self.active(noun, key)
        if document is None:
            return
        task = self._tasks.get(document.key)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._store.update("operations", document.key, status="Canceled", ended=now())

    async def stop(self) -> None:
        """Cancel all background work; stored operations stay InProgress until the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, operation: str, name: str, key: str) -> None:
        task = asyncio.get_running_loop().create_task(self._run(operation, name, key), name=f"{name} {key}")
        self._tasks[operation] = task
        task.add_done_callback(lambda _: self._tasks.pop(operation, None))

    async def _run(self, operation: str, name: str, key: str) -> None:
        noun = name.split(".", 1)[0]
        outcome: Json = {"status": "Succeeded"}
        try:
            await self._clock.wait(noun)
            await self._faults.on_operation(name, key)
            await self._handlers[name](key)
        except ArmError as error:
            outcome = {"status": "Failed", "error": error.body()["error"]}
        except Exception as error:
            log.exception("Operation %s on %s failed", name, key)
            unexpected = ArmError(500, "InternalServerError", repr(error))
            outcome = {"status": "Failed", "error": unexpected.body()["error"]}
        if outcome["status"] == "Failed":
            self._mark_failed(noun, key, outcome["error"])
        self._store.update("operations", operation, ended=now(), **outcome)

    def _mark_failed(self, noun: str, key: str, error: Json) -> None:
        """The resource itself shows the failure, as in Azure, where it stays until somebody deletes it."""
        document = self._store.get(noun, key)
        if document is not None:
            document.setdefault("properties", {})["provisioningState"] = "Failed"
            document["provisioningError"] = error
            self._store.put(noun, key, document)

    def headers(
        self, scope: Scope, operation: str, family: Family = "mfe", *, delete: bool = False
    ) -> dict[str, str]:
        """The polling headers of a 201 or 202 answer.

        Args:
            scope: workspace of the request.
            operation: id from :meth:`begin`.
            family: dialect: ``mfe`` (jobs, endpoints, deployments) or ``computes``.
            delete: deletions are polled at ``Location`` alone.
        """
        base = self._base_url + LOCATION_PATH.format(subscription=SUBSCRIPTION_ID, location=LOCATION)
        if family == "computes":
            query = "service=new&api-version=2023-08-01-preview"
            where = f"{base}/computeOperationsStatus/{operation}?{query}"
            return {
                "Azure-AsyncOperation": where,
                "Location": where.replace("Status/", "Results/"),
                "Retry-After": "1",
            }
        tail = f"oe:{WORKSPACE_GUID}:{operation}?api-version=2022-02-01-preview"
        headers = {
            "Location": f"{base}/mfeOperationResults/{tail}",
            "x-ms-async-operation-timeout": "PT30M",
            # Without it the SDK asks every 30 seconds.
            "Retry-After": "1",
        }
        if not delete:
            headers["Azure-AsyncOperation"] = f"{base}/mfeOperationsStatus/{tail}"
        return headers
