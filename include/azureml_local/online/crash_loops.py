"""When a server that falls is started again, and when it is given up as a crash loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from azureml_local.online.servers import ContainerError, InferenceServer

log = logging.getLogger(__name__)

# Starts of a server that never was healthy, after which its deployment is given up as a crash loop.
STARTS = 3
# Seconds before each next start; the last holds for all that follow.
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


async def bring_up(server: InferenceServer) -> None:
    """Start a server until it is healthy; raises ContainerError if it fell :data:`STARTS` times."""
    for attempt in range(1, STARTS + 1):
        try:
            await server.launch()
            await server.until_healthy()
            return
        except ContainerError as error:
            await server.end()
            if attempt == STARTS:
                raise ContainerError(f"{error}\nIt was started {STARTS} times: a crash loop.") from error
            server.log(f"The container is started again, for the {attempt + 1}. time.")
            await asyncio.sleep(PAUSES[attempt - 1])
        except BaseException:
            # Cancelled: the update was given up, or the service ends.
            await server.end()
            raise


async def keep_up(server: InferenceServer) -> None:
    """Start a server that was healthy again whenever it falls, after longer and longer pauses; never ends."""
    falls = 0
    while True:
        await server.until_it_falls()
        await server.end()
        log.warning("%s, and is started again", await server.explain_end("while it served"))
        await asyncio.sleep(PAUSES[min(falls, len(PAUSES) - 1)])
        falls += 1
        await server.launch()
        with contextlib.suppress(ContainerError):
            await server.until_healthy()
            falls = 0
