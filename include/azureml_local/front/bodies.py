"""What a request's body may be: so large, so slow, and nothing in it that cannot be stored.

A body is read when its route asks for it, which is after the route has looked at the token.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from azureml_local.arm.grammar import ArmError
from azureml_local.arm.validation import unreadable
from azureml_local.storage.files import ACCOUNT_HOST

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

MIB: Final = 1 << 20
# Source: ARM's limit of a request; Blob storage's of one Put Blob, which is streamed to disk.
RESOURCE_BYTES, SCORING_BYTES, BLOB_BYTES = 4 * MIB, 16 * MIB, 5000 * MIB
# A body that comes more slowly than this, in bytes a second, is given up once its first seconds are over.
SLOWEST: Final = 1024
DEEPEST: Final = 64
_SUSPECT = re.compile(rb"\\u[dD][89a-fA-F]|NaN|Infinity|[eE]\+?\d{3}|\d{300}")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class Body:
    """The ``receive`` of one request.

    Args:
        scope: the request.
        receive: where its body comes from.
        seconds: how long it may take, and longer only if at least :data:`SLOWEST` bytes a second come.
    """

    def __init__(self, scope: Scope, receive: Receive, seconds: float) -> None:
        self._receive, self._seconds = receive, seconds
        self._most, self._streams = _limit(scope)
        self._checked = not scope["path"].startswith("/inference/")
        self._declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        self._size, self._start, self._over = 0, 0.0, False

    async def __call__(self) -> Message:
        """The next piece of a blob; the whole of any other body.

        Raises:
            ArmError: 413 for a body that is too large, 408 for one that is too slow, 400 for what cannot be stored.
        """
        if self._over:
            return await self._receive()
        if not self._start:
            self._start = time.monotonic()
            self._grow(int(self._declared))
            self._size = 0
        return await (self._piece() if self._streams else self._whole())

    async def _whole(self) -> Message:
        pieces, more = bytearray(), True
        while more:
            message = await self._piece()
            if message["type"] != "http.request":
                return message
            pieces += message.get("body", b"")
            more = not self._over
        if self._checked:
            check_text(bytes(pieces))
        return {"type": "http.request", "body": bytes(pieces), "more_body": False}

    async def _piece(self) -> Message:
        left = self._start + self._seconds + self._size / SLOWEST - time.monotonic()
        try:
            async with asyncio.timeout(max(left, 0)):
                message = await self._receive()
        except TimeoutError as error:
            raise ArmError(
                408,
                "RequestTimeout",
                f"The body did not come within {self._seconds:g} s: send it faster.",
                headers={"Connection": "close"},
            ) from error
        self._grow(len(message.get("body", b"")))
        self._over = not message.get("more_body", False)
        return message

    def _grow(self, by: int) -> None:
        self._size += by
        if self._size > self._most:
            raise ArmError(
                413,
                "RequestEntityTooLarge",
                f"The request's body has {self._size} bytes or more: at most {self._most} are taken here.",
            )


def _limit(scope: Scope) -> tuple[int, bool]:
    """The most bytes of a request's body, and whether its route streams it."""
    path: str = scope["path"]
    if path.startswith(f"/{ACCOUNT_HOST}/"):
        listed = b"comp=blocklist" in scope["query_string"]
        return (RESOURCE_BYTES, False) if listed else (BLOB_BYTES, True)
    if path.startswith("/mlflow/") and "/mlflow-artifacts/" in path:
        return BLOB_BYTES, True
    return SCORING_BYTES if path.startswith(("/inference/", "/mlflow/")) else RESOURCE_BYTES, False


def check_text(body: bytes) -> None:
    """Refuse JSON that parses and yet cannot be stored and sent again.

    Raises:
        ArmError: 400 for half a surrogate pair, a number that is none, or a document that is too deep.
    """
    if body.count(b"[") + body.count(b"{") > DEEPEST and _depth(body) > DEEPEST:
        raise unreadable(f"The document is more than {DEEPEST} levels deep", "")
    if not _SUSPECT.search(body):
        return
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return  # whoever parses it says where it is wrong
    try:
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise unreadable(
            f"The text holds {half!r}, half of a surrogate pair, which is no character", ""
        ) from error
    except ValueError as error:
        raise unreadable("NaN, Infinity and numbers beyond the range of a double are no JSON", "") from error


def _depth(body: bytes) -> int:
    deepest = depth = 0
    for match in _TOKEN.finditer(body):
        first = match[0][:1]
        if first in (b"[", b"{"):
            deepest = max(deepest, depth := depth + 1)
        elif first in (b"]", b"}"):
            depth -= 1
    return deepest
