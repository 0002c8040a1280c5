"""A file on the Hub, read by ranges."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

from include.finetune.data.patience import Pause, patiently


class RemoteFile(io.RawIOBase):
    """A file on the Hub of which only those bytes come over the wire that are read.

    Args:
        address: its ``hf://`` address.
        received: called with the number of bytes of every range that has come.
    """

    def __init__(self, address: str, received: Callable[[int], None], pause: Pause = time.sleep) -> None:
        from huggingface_hub import HfFileSystem

        self.address, self.dataset = address, address.removeprefix("hf://datasets/").partition("@")[0]
        self._received, self._pause, self._at = received, pause, 0
        # A cache would read ahead: the default one asks for 5 MB and more at a time.
        self._file = patiently(
            lambda: HfFileSystem().open(address, "rb", cache_type="none"), self.dataset, pause
        )
        self.size = int(self._file.size)

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.address.partition("@")[2].partition("/")[2] or self.address

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Let the next read begin elsewhere."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """One range, in one request."""
        end = self.size if size is None or size < 0 else min(self.size, self._at + size)
        if end <= self._at:
            return b""
        content = patiently(lambda: self._range(self._at, end), self.dataset, self._pause)
        self._received(len(content))
        self._at += len(content)
        return content

    def readinto(self, buffer: Any) -> int:
        """As :meth:`read`, into a buffer."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def _range(self, start: int, end: int) -> bytes:
        self._file.seek(start)
        content = bytes(self._file.read(end - start))
        if len(content) != end - start:
            raise ConnectionError(f"{len(content)} bytes of {end - start} came of {self.name}")
        return content
