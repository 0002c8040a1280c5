"""The way of a request to a replica: who may come in, which deployment answers, how long it may take."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated

from fastapi.responses import JSONResponse

from azureml_local.arm.durations import seconds
from azureml_local.engine.lifecycle import Part
from azureml_local.engine.store import Document, Store
from azureml_local.online import traffic
from azureml_local.online.access import Access
from azureml_local.online.pools import Pool, Pools
from azureml_local.online.replicas import Replica
from azureml_local.online.servers import ContainerError
from azureml_local.routing import part

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)
# Pauses before a request is sent again whose connection broke off.
AGAIN_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


class RefusedError(Exception):
    """An answer of the front door itself."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

    def response(self) -> JSONResponse:
        """The refusal as an HTTP answer."""
        return JSONResponse({"error": {"code": str(self.status), "message": self.message}}, self.status)


class FrontDoor(Part):
    """Leads requests to the deployments of an endpoint."""

    def __init__(self, store: Store, access: Access, pools: Pools) -> None:
        self._store, self._access, self._pools = store, access, pools
        self._copies: set[asyncio.Task[None]] = set()

    def endpoint(self, name: str) -> Document:
        """The endpoint; raises RefusedError 404."""
        document = self._store.get("onlineEndpoints", name)
        if document is None:
            raise RefusedError(404, f"There is no endpoint {name!r}.")
        return document

    def admit(self, name: str, authorization: str | None) -> Document:
        """The endpoint that the header opens; raises RefusedError 404, or 401 for another key or token."""
        document = self.endpoint(name)
        if not self._access.admits(document, authorization):
            raise RefusedError(
                401, "The request has no valid key or token. Send one as 'Authorization: Bearer ...'."
            )
        return document

    def choose(self, endpoint: Document, header: str | None) -> Document:
        """The deployment that the header names, or one drawn by the traffic's shares.

        Raises:
            RefusedError: 404.
        """
        name = header or traffic.draw(endpoint["properties"]["traffic"])
        if name is None:
            raise RefusedError(
                404,
                "No deployment has traffic: give one a share, or name one in header azureml-model-deployment.",
            )
        document = self._store.get("onlineDeployments", f"{endpoint.key}/{name}")
        if document is None:
            raise RefusedError(404, f"The endpoint has no deployment {name!r}.")
        return document

    def answers(self, name: str) -> bool:
        """Whether any deployment of an endpoint answers."""
        deployments = self._store.list("onlineDeployments", f"{name}/")
        pools = (self._pools.get(document.key) for document in deployments)
        return any(pool is not None and pool.healthy for pool in pools)

    async def ask(self, deployment: Document, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """The answer of a replica; time in the queue counts towards the request timeout.

        Raises:
            RefusedError: 408 if that is over, 429 if too many requests wait, 502 if none answers.
        """
        import httpx

        pool = self._ready(deployment)
        limit = seconds(deployment["properties"]["requestSettings"]["requestTimeout"])
        try:
            async with asyncio.timeout(limit), pool.replica() as replica:
                return await self._send(replica, body, headers)
        except TimeoutError as error:
            raise RefusedError(
                408, f"The deployment did not answer within its request timeout of {limit:g} s."
            ) from error
        except (httpx.HTTPError, ContainerError) as error:
            message = f"The deployment's container broke off: {type(error).__name__}."
            raise RefusedError(502, message) from error

    async def _send(self, replica: Replica, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """The answer of a replica; a connection that breaks off before it is tried again while the process lives.

        A server whose queue of new connections is full resets them, and one that is idle closes those that are
        kept: neither has read the request.
        """
        import httpx

        address = replica.url
        request = self._pools.http.build_request("POST", f"{address}/score", content=body, headers=headers)
        for pause in AGAIN_SECONDS:
            try:
                answer = await self._pools.http.send(request, stream=True)
            except httpx.HTTPError:
                await asyncio.sleep(pause)
                if not replica.healthy or replica.url != address:
                    raise
            else:
                break
        else:
            answer = await self._pools.http.send(request, stream=True)
        try:
            await answer.aread()
        finally:
            await answer.aclose()
        return answer

    def _ready(self, deployment: Document) -> Pool:
        pool = self._pools.get(deployment.key)
        if pool is None or not pool.healthy:
            raise RefusedError(502, "The deployment's container is not running; see the deployment's logs.")
        # Azure refuses at once what would wait for too long.
        if pool.waiting >= pool.most:
            raise RefusedError(429, f"Too many requests wait for the deployment: {pool.most} at most.")
        return pool

    async def own_description(self, deployment: Document, version: str) -> bytes | None:
        """The OpenAPI document that a deployment's code brings along, if it has one and answers."""
        import httpx

        pool = self._pools.get(deployment.key)
        if pool is None or not pool.healthy:
            return None
        try:
            async with pool.replica() as replica:
                address, query = f"{replica.url}/swagger.json", {"version": version}
                answer = await self._pools.http.get(address, params=query, timeout=5)
        except (httpx.HTTPError, ContainerError):
            return None
        return answer.content if answer.status_code == 200 else None

    def mirror(self, endpoint: Document, body: bytes, headers: dict[str, str]) -> None:
        """Send copies to the deployments that mirror traffic; nobody waits for their answers."""
        for name in traffic.draw_mirrors(endpoint["properties"]["mirrorTraffic"]):
            copy = asyncio.create_task(self._copy(f"{endpoint.key}/{name}", body, headers))
            self._copies.add(copy)
            copy.add_done_callback(self._copies.discard)

    async def _copy(self, key: str, body: bytes, headers: dict[str, str]) -> None:
        deployment = self._store.get("onlineDeployments", key)
        if deployment is None:
            return
        try:
            await self.ask(deployment, body, headers)
        except RefusedError as refusal:
            log.info("A mirrored request to %s was lost: %s", key, refusal.message)

    async def stop(self) -> None:
        """Give up the copies that are under way."""
        for copy in list(self._copies):
            copy.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)


FrontDoorDep = Annotated[FrontDoor, part(FrontDoor)]
