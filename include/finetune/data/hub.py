"""A data set on the Hub at one revision: its splits and their files."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from include.finetune.data.patience import Pause, is_of_the_network, patiently, root_cause
from include.finetune.errors import InputError

log = logging.getLogger(__name__)

# Libraries that would log each request with its address, and the Hub's addresses may be signed.
TALKATIVE: Final = ("httpx", "httpx2")


@dataclass(frozen=True)
class Repository:
    """A configuration of a data set at one revision."""

    # ``owner/name``.
    id: str
    # Hash of the commit, which cannot be out of date.
    revision: str
    # Name of the configuration.
    config: str
    # For each split its files, as ``hf://`` addresses that name the revision.
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
        if is_of_the_network(error):
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
    return InputError(f"The data set {dataset!r} cannot be read: {root_cause(error)}")
