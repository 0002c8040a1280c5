"""Connections: a fault can cut one as a broken network would, and one that sends no whole request is closed."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

_open: dict[tuple[str, int], asyncio.Transport] = {}


class GuardedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's HTTP protocol, which knows no time limit for a request's headers.

    Args:
        header_seconds: how long the headers of a request may take.
        given: what uvicorn gives a protocol.
    """

    def __init__(self, *, header_seconds: float, **given: Any) -> None:
        super().__init__(**given)
        self._header_seconds = header_seconds
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Remember the transport by the client's address."""
        super().connection_made(transport)
        self._peer: Any = transport.get_extra_info("peername")
        if self._peer:
            _open[self._peer[:2]] = transport
        self._watch(waiting=True)

    def data_received(self, data: bytes) -> None:
        """Pass it on; until the headers are whole, and after an answer, their time runs."""
        super().data_received(data)
        self._watch(waiting=self.cycle is None or self.cycle.response_complete)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._watch(waiting=False)
        _open.pop(self._peer[:2], None) if self._peer else None
        super().connection_lost(exc)

    def _watch(self, *, waiting: bool) -> None:
        if waiting and self._deadline is None:
            self._deadline = self.loop.call_later(self._header_seconds, self.transport.abort)
        elif not waiting and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def drop(client: tuple[str, int]) -> None:
    """Cut the connection of this client at once, without an answer."""
    transport = _open.get((client[0], client[1]))
    if transport is not None:
        transport.abort()
