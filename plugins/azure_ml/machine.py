"""Failures of this machine itself, which are not the network's: a full disk, a missing permission, too many files."""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Iterator
from typing import Final

from azure_ml import errors

_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
_OTHER: Final = (
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ENOENT, errno.EISDIR, errno.ENOTDIR),
    *(errno.ENAMETOOLONG, errno.ESTALE, errno.ELOOP),
)
_KINDS: Final[dict[int, type[errors.AzureMLError]]] = {
    **dict.fromkeys(_DISK_FULL, errors.DiskFull),
    **dict.fromkeys(_REFUSED, errors.FileRefused),
    **dict.fromkeys(_OTHER, errors.MachineFailure),
}
# Libraries also say it in words alone: ``datasets`` looks at the free space before it begins.
_FULL_IN_WORDS: Final = re.compile(
    r"no space left on|not enough (disk )?space|disk quota exceeded", re.IGNORECASE
)


def machine_failure(error: BaseException, action: str) -> errors.AzureMLError | None:
    """Our error, "Cannot ``action``: ...", if this machine is why; ``None`` if it is not."""
    for link in _chain(error):
        kind = _kind(link)
        if kind is not None:
            return kind(f"Cannot {action}: the worker's own machine refuses: {_words(link)}; {kind.cure}.")
    return None


def _kind(error: BaseException) -> type[errors.AzureMLError] | None:
    # An SSLError's number is not the operating system's, and that of a failed look-up of a name is below zero.
    if not isinstance(error, OSError) or isinstance(error, ssl.SSLError):
        return None
    if error.errno is None:
        return errors.DiskFull if _FULL_IN_WORDS.search(str(error)) else None
    # A firewall refuses with the same number, and names no file.
    if error.errno in (errno.EACCES, errno.EPERM) and error.filename is None:
        return None
    return _KINDS.get(error.errno)


def _words(error: BaseException) -> str:
    strerror, filename = getattr(error, "strerror", None), getattr(error, "filename", None)
    where = f" ({filename})" if filename else ""
    return f"{strerror}{where}" if strerror else " ".join(str(error).split())[:300].rstrip(". ")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised for, by whatever way a library passes that on."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        inner = getattr(link, "inner_exception", None)
        link = inner if isinstance(inner, BaseException) else link.__cause__ or link.__context__
