"""Lets a fault cut a connection as a broken network would, which ASGI itself has no word for."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

_open: dict[tuple[str, int], asyncio.Transport] = {}


class DroppableProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's HTTP protocol that remembers each client's transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Remember the transport by the client's address."""
        super().connection_made(transport)
        self._peer: Any = transport.get_extra_info("peername")
        if self._peer:
            _open[self._peer[:2]] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        _open.pop(self._peer[:2], None) if self._peer else None
        super().connection_lost(exc)


def drop(client: tuple[str, int]) -> None:
    """Cut the connection of this client at once, without an answer."""
    transport = _open.get((client[0], client[1]))
    if transport is not None:
        transport.abort()
