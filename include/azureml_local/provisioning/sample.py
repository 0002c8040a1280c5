"""The sample data set, which the local Hub serves."""

from __future__ import annotations

from pathlib import Path

from azureml_local.provisioning import once
from azureml_local.settings import Settings

SEED, SPLITS = 42, 4


def make(settings: Settings) -> Path:
    """Its folder; written if it is missing. A folder that the environment names loses nothing."""
    folder = settings.sample
    files = folder / "data"
    if settings.makes(folder):
        once.make(folder, lambda: len(list(files.glob("*.parquet"))) >= SPLITS, lambda: _write(folder))
    elif not any(files.glob("*.parquet")):
        _write(folder)
    return folder


def _write(folder: Path) -> None:
    from azureml_local.sample import splits  # imports pyarrow, half a second

    splits.write(folder, SEED)
