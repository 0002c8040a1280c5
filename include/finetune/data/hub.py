"""A data set on the Hub at one revision: its splits, their files, and ranges of those; asked patiently."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import tenacity

from azure_ml.hook._http import ATTEMPTS, REPEATED, pause_seconds
from include.finetune.errors import HubUnreachableError, InputError

log = logging.getLogger(__name__)

TALKATIVE: Final = ("httpx", "httpx2")
"""Libraries that would log each request with its address, and the Hub's addresses may be signed."""

Pause = Callable[[float], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Repository:
    """A configuration of a data set at one revision.

    Attributes:
        id: ``owner/name``.
        revision: hash of the commit, which cannot be out of date.
        config: name of the configuration.
        splits: for each split its files, as ``hf://`` addresses that name the revision.
    """

    id: str
    revision: str
    config: str
    splits: dict[str, list[str]]


def open_repository(dataset: str, config: str | None = None, pause: Pause = time.sleep) -> Repository:
    """The newest revision of a data set.

    Asked for by name, ``datasets`` falls back to a cached copy when the Hub fails, with no more than a warning;
    nobody would see that a model was trained on last month's rows. So the revision's hash is asked for first.

    Raises:
        InputError: if there is no such data set or configuration, or it is kept in a form that is not read.
        HubUnreachableError: if the Hub does not answer.
    """
    return patiently(lambda: _open(dataset, config), dataset, pause)


def _open(dataset: str, config: str | None) -> Repository:
    import datasets
    from datasets.exceptions import DataFilesNotFoundError, DatasetNotFoundError
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    datasets.disable_progress_bars()
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        revision = str(HfApi().dataset_info(dataset).sha)
        builder = datasets.load_dataset_builder(dataset, config, revision=revision)
    except (DatasetNotFoundError, DataFilesNotFoundError, RepositoryNotFoundError) as error:
        raise InputError(
            f"The Hub has no data set {dataset!r} with data in it: check its id, and that you may read it."
        ) from error
    except (ValueError, RuntimeError) as error:
        if _is_of_the_network(error):
            raise
        raise _unreadable(dataset, config, revision, error) from error
    if type(builder).__module__.endswith(".cache.cache"):
        raise ConnectionError("only an older copy in this machine's cache is to be had")
    files = {
        str(split): [str(file) for file in files]
        for split, files in (builder.config.data_files or {}).items()
    }
    log.info("Reading %s, configuration %s, at revision %s.", dataset, builder.config.name, revision)
    return Repository(dataset, revision, str(builder.config.name), files)


def _unreadable(dataset: str, config: str | None, revision: str, error: Exception) -> InputError:
    """Why ``datasets`` takes no data set of that kind, in one sentence."""
    import datasets

    if "scripts are no longer supported" in str(error):
        return InputError(
            f"The data set {dataset!r} is loaded by a script of its own, which is not run here: "
            "choose one that holds parquet or JSON Lines files."
        )
    try:
        configs = datasets.get_dataset_config_names(dataset, revision=revision)
    except (ValueError, RuntimeError):
        configs = []
    if configs and config not in configs:
        listed = ", ".join(map(repr, configs[:20]))
        why = f"has no configuration {config!r}" if config else "has several configurations"
        return InputError(f"The data set {dataset!r} {why}: set dataset_config to one of {listed}.")
    return InputError(f"The data set {dataset!r} cannot be read: {_root(error)}")


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


def patiently(call: Callable[[], T], dataset: str, pause: Pause = time.sleep) -> T:
    """The result of a request; what may pass is asked again.

    After a lost connection, 429 or 5xx it asks again, up to six times; it waits as long as ``Retry-After``
    says, at most a minute, else twice as long each time.

    Raises:
        HubUnreachableError: if the Hub does not answer.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=_wait,
        sleep=pause,
        before_sleep=_warn,
        reraise=True,
    )
    try:
        return retrying(call)
    except InputError:
        raise
    except Exception as error:
        if not _is_of_the_network(error):
            raise
        raise HubUnreachableError(
            f"The Hub does not answer for the data set {dataset!r}: {_root(error)}"
        ) from error


def _is_of_the_network(error: BaseException) -> bool:
    """Whether a request went wrong; by name, as the Hub's client has changed its HTTP library before."""
    ancestors = {kind.__name__ for kind in type(error).__mro__}
    return bool(ancestors & {"OSError", "TransportError", "HTTPError"})


def _may_pass(error: BaseException) -> bool:
    from datasets.exceptions import DatasetsError

    if isinstance(error, DatasetsError) or not _is_of_the_network(error):
        return False
    answer = _answer(error)
    return answer is None or answer.status_code in REPEATED


def _answer(error: BaseException | None) -> Any:
    """The Hub's answer behind an error; ``None`` if there was none."""
    while error is not None:
        if (answer := getattr(error, "response", None)) is not None:
            return answer
        error = error.__cause__
    return None


def _wait(state: tenacity.RetryCallState) -> float:
    return pause_seconds(_answer(state.outcome.exception() if state.outcome else None), state.attempt_number)


def _warn(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if error is not None and state.next_action is not None:
        log.warning("The Hub: %s; asking again in %.0f s.", _root(error), state.next_action.sleep)


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:300]
