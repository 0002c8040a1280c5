"""Deployments as they last came up: what answers after an update that failed, and after a restart."""

from __future__ import annotations

import asyncio
import logging

from azureml_local.arm.grammar import ArmError
from azureml_local.engine.store import Document, Store
from azureml_local.online.pools import Pools
from azureml_local.online.servers import ContainerError
from azureml_local.online.workloads import Workloads

log = logging.getLogger(__name__)

# Kind of these documents; each belongs to the deployment of the same key.
SERVED = "servedDeployments"


class Served:
    """Launches deployments, and brings back what was launched last."""

    def __init__(self, store: Store, workloads: Workloads, pools: Pools) -> None:
        self._store, self._workloads, self._pools = store, workloads, pools
        self._restoring: dict[str, asyncio.Task[None]] = {}

    async def launch(self, document: Document) -> None:
        """Start the replicas of a deployment, in the place of those that it has.

        Raises:
            ArmError: 400 if its image, model or code is not there.
            ContainerError: if a replica does not come up.
        """
        folder = self._pools.folder(document.key)
        await self._workloads.provision(document, folder)
        workload = await asyncio.to_thread(self._workloads.prepare, document, folder)
        await self._pools.launch(document.key, workload, int(document["sku"]["capacity"]))

    def keep(self, document: Document) -> None:
        """Keep a deployment that came up, to bring it back like this."""
        kept = {field: document[field] for field in ("properties", "sku")}
        self._store.put(SERVED, document.key, kept)

    def restore(self, key: str) -> None:
        """Begin to bring a deployment back; what never came up stays down."""
        task = asyncio.create_task(self._launch_again(key), name=f"restore {key}")
        self._restoring[key] = task
        task.add_done_callback(lambda _: self._restoring.pop(key, None))

    async def _launch_again(self, key: str) -> None:
        document = self._store.get(SERVED, key)
        if document is None:
            return
        try:
            await self.launch(document)
        except (ContainerError, ArmError) as error:
            log.warning("Deployment %s did not come back: %s", key, error)

    async def stop_restoring(self, key: str) -> None:
        """Give up what :meth:`restore` began: it must not take the place of what comes after it."""
        task = self._restoring.get(key)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def stop(self) -> None:
        """Give up all that :meth:`restore` began."""
        for key in list(self._restoring):
            await self.stop_restoring(key)
