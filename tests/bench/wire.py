"""A slow line to a server on this machine: passes bytes on at a rate, and counts them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator

PIECE = 64 << 10


class Wire:
    """What stands between client and server; TLS passes through untouched.

    Attributes:
        port: where it listens on the loopback address.
        received: bytes that the server has sent through it.
    """

    def __init__(self, target: int, mbit: float) -> None:
        self._target, self._rate = target, mbit * 1e6 / 8
        self._free_at = 0.0
        self.port = self.received = 0

    async def serve(self, started: threading.Event) -> None:
        """Listen until canceled."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await server.serve_forever()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(
                self._pass_on(reader, back, slow=False), self._pass_on(there, writer, slow=True)
            )

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool
    ) -> None:
        try:
            while piece := await reader.read(PIECE):
                if slow:
                    await self._wait_for(len(piece))
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def _wait_for(self, size: int) -> None:
        """All connections share the line."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + size / self._rate
        self.received += size
        await asyncio.sleep(self._free_at - now)


@contextlib.contextmanager
def wire(target: int, mbit: float) -> Iterator[Wire]:
    """A line to a port of this machine."""
    line, started = Wire(target, mbit), threading.Event()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(None)
    task = loop.create_task(line.serve(started))

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.run_until_complete(loop.shutdown_asyncgens())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield line
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(10)
