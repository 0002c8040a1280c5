"""Reading a data set from the Hub, patiently: what may pass is asked again."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tenacity

from azure_ml.backoff import ATTEMPTS, REPEATED, pause_seconds
from include.finetune.errors import HubUnreachableError, InputError
from include.finetune.rows import check_row

if TYPE_CHECKING:
    from datasets import Dataset

log = logging.getLogger(__name__)

TALKATIVE: Final = ("httpx", "httpx2")
"""Libraries that would log each request with its address, and the Hub's addresses may be signed."""


def load_splits(dataset: str, pause: Callable[[float], None] = time.sleep) -> dict[str, Dataset]:
    """Every split of a data set, whole.

    After a lost connection, 429 or 5xx it asks again, up to six times; it waits as long as ``Retry-After``
    says, at most a minute, else twice as long each time (huggingface_hub 2.4 does so for files, but not for
    the list of them). What was downloaded is not downloaded again, yet a
    cached copy never stands in for the data set while the Hub is away (unless ``HF_HUB_OFFLINE`` asks for
    it): nobody would see that a model was trained on last month's rows.

    Args:
        dataset: id on the Hub.
        pause: how to wait, in seconds.

    Raises:
        InputError: if there is no such data set, or it cannot be read.
        HubUnreachableError: if the Hub does not answer.
    """
    import datasets
    from datasets.exceptions import DataFilesNotFoundError, DatasetGenerationError, DatasetNotFoundError
    from huggingface_hub.errors import RepositoryNotFoundError

    datasets.disable_progress_bars()
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    patiently = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=_wait,
        sleep=pause,
        before_sleep=_tell,
        reraise=True,
    )
    try:
        return patiently(_load, dataset)
    except (DatasetNotFoundError, DataFilesNotFoundError, RepositoryNotFoundError) as error:
        raise InputError(
            f"The Hub has no data set {dataset!r} with data in it: check its id, and that you may read it."
        ) from error
    except DatasetGenerationError as error:
        for problem in _malformed_rows(dataset):
            raise problem from error
        raise InputError(f"The data set {dataset!r} cannot be read: {_root(error)}") from error
    except Exception as error:
        if not _is_of_the_network(error):
            raise
        raise HubUnreachableError(
            f"The Hub does not answer for the data set {dataset!r}: {_root(error)}"
        ) from error


def _load(dataset: str) -> dict[str, Dataset]:
    from datasets import config, load_dataset_builder
    from huggingface_hub import HfApi

    # Asked for by name, both libraries fall back to what they have cached when the Hub fails them, with no
    # more than a warning (huggingface_hub 2.4, datasets 5.2); a revision's hash cannot be out of date.
    revision = None if config.HF_HUB_OFFLINE else HfApi().dataset_info(dataset).sha
    builder = load_dataset_builder(dataset, revision=revision)
    if revision and type(builder).__module__.endswith(".cache.cache"):
        raise ConnectionError("only an older copy in this machine's cache is to be had")
    log.info("Reading %s at revision %s.", dataset, revision or "(the cached one)")
    builder.download_and_prepare()
    return dict(builder.as_dataset())


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


def _tell(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if error is not None and state.next_action is not None:
        log.warning("The Hub: %s; asking again in %.0f s.", _root(error), state.next_action.sleep)


def _malformed_rows(dataset: str) -> Iterator[InputError]:
    """The malformed rows of a data set's JSON Lines files; only read when loading has failed."""
    from huggingface_hub import HfApi, hf_hub_download

    for name in HfApi().list_repo_files(dataset, repo_type="dataset"):
        if not name.endswith((".jsonl", ".json")):
            continue
        path = Path(hf_hub_download(dataset, name, repo_type="dataset"))
        for line, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            try:
                row = json.loads(text)
                check_row(row if isinstance(row, dict) else {}, name, line)
            except InputError as error:
                yield error
            except ValueError as error:
                yield InputError(
                    f"{name}, line {line}: this is not JSON ({error}): correct or remove the row."
                )


def _root(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:300]
