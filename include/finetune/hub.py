"""Reading a data set from the Hugging Face Hub, with retries for errors that may pass."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tenacity

from azure_ml.backoff import ATTEMPTS, REPEATED, pause_seconds
from azure_ml.errors import AzureMLError
from azure_ml.machine import machine_failure
from azure_ml.masking import masked, without_secrets
from include.finetune.errors import HubUnreachableError, InputError
from include.finetune.rows import check_row

if TYPE_CHECKING:
    from datasets import Dataset

log = logging.getLogger(__name__)

# These libraries log the address of each request, and an address of the Hub may carry a signature.
VERBOSE_LOGGERS: Final = ("httpx", "httpx2")


def load_splits(dataset: str, pause: Callable[[float], None] = time.sleep) -> dict[str, Dataset]:
    """Every split of a data set, whole.

    A lost connection, 429 or 5xx is retried up to six times, after ``Retry-After`` seconds (at most 60) or else
    after a pause that doubles. A cached copy never replaces the data set of a Hub that is away, unless
    ``HF_HUB_OFFLINE`` is set: nobody would see that a model was trained on last month's rows.

    Args:
        dataset: Id on the Hub.
        pause: Sleeps that many seconds.

    Raises:
        InputError: If there is no such data set, or it cannot be read.
        HubUnreachableError: If the Hub does not answer.
        MachineFailure: If the worker's own disk is full or refuses.
    """
    import datasets

    datasets.disable_progress_bars()
    for name in VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # huggingface_hub 2.4 retries the download of a file, but not the list of files.
    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=_wait,
        sleep=pause,
        before_sleep=_log_retry,
        reraise=True,
    )
    try:
        return attempts(_load, dataset)
    except Exception as error:
        translated = _translate(error, dataset)
        if translated is None:
            raise
        raise translated from without_secrets(error)


def _translate(error: Exception, dataset: str) -> InputError | HubUnreachableError | AzureMLError | None:
    from datasets.exceptions import DataFilesNotFoundError, DatasetGenerationError, DatasetNotFoundError
    from huggingface_hub.errors import RepositoryNotFoundError

    if failure := machine_failure(error, f"read the data set {dataset!r}"):
        return failure
    if isinstance(error, (DatasetNotFoundError, DataFilesNotFoundError, RepositoryNotFoundError)):
        return InputError(
            f"The Hub has no data set {dataset!r} with data in it: check its id, and that you may read it."
        )
    if isinstance(error, DatasetGenerationError):
        unreadable = InputError(f"The data set {dataset!r} cannot be read: {_root(error)}")
        return next(_malformed_rows(dataset), unreadable)
    if _is_network_error(error):
        return HubUnreachableError(f"The Hub does not answer for the data set {dataset!r}: {_root(error)}")
    return None


def _load(dataset: str) -> dict[str, Dataset]:
    from datasets import config, load_dataset_builder
    from huggingface_hub import HfApi

    # Given a name only, both libraries fall back to their cache when the Hub fails, with no more than a warning
    # (huggingface_hub 2.4, datasets 5.2). The hash of a revision cannot be out of date.
    revision = None if config.HF_HUB_OFFLINE else HfApi().dataset_info(dataset).sha
    builder = load_dataset_builder(dataset, revision=revision)
    if revision and type(builder).__module__.endswith(".cache.cache"):
        raise ConnectionError("only an older copy in this machine's cache is to be had")
    log.info("Reading %s at revision %s.", dataset, revision or "(the cached one)")
    builder.download_and_prepare()
    return dict(builder.as_dataset())


def _is_network_error(error: BaseException) -> bool:
    # By name: the Hub's client has changed its HTTP library before.
    ancestors = {kind.__name__ for kind in type(error).__mro__}
    return bool(ancestors & {"OSError", "TransportError", "HTTPError"})


def _may_pass(error: BaseException) -> bool:
    from datasets.exceptions import DatasetsError

    if isinstance(error, DatasetsError) or machine_failure(error, "") or not _is_network_error(error):
        return False
    response = _answer(error)
    return response is None or response.status_code in REPEATED


def _answer(error: BaseException | None) -> Any:
    while error is not None:
        if (response := getattr(error, "response", None)) is not None:
            return response
        error = error.__cause__
    return None


def _wait(state: tenacity.RetryCallState) -> float:
    return pause_seconds(_answer(state.outcome.exception() if state.outcome else None), state.attempt_number)


def _log_retry(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if error is not None and state.next_action is not None:
        log.warning("The Hub: %s; next try in %.0f s.", _root(error), state.next_action.sleep)


def _malformed_rows(dataset: str) -> Iterator[InputError]:
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
    return " ".join(masked(str(error)).split())[:300]
