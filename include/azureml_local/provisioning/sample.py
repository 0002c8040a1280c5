"""The sample data set, which the local Hub serves."""

from __future__ import annotations

from pathlib import Path

from azureml_local.provisioning import once
from azureml_local.settings import Settings

SEED, SPLITS = 42, 4


def make(settings: Settings) -> Path:
    """Its folder; made if it is missing."""
    folder = settings.sample

    def write() -> None:
        from azureml_local.sample import splits  # imports pyarrow, half a second

        splits.write(folder, SEED)

    once.make(folder, lambda: len(list(folder.glob("data/*.parquet"))) >= SPLITS, write)
    return folder
