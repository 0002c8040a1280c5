"""The options of ``make run``, checked and turned into the run's ``conf``."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.launcher.errors import BadInputError
from include.launcher.faults import FaultPlan

DATA_SUFFIXES = (".jsonl", ".parquet", ".json")
PACKED = (".gz", ".zst", ".zstd")
MAX_NAME = 80
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
REAL_MODEL = "SmolLM2-135M-Instruct"
# A size without a GPU that the real model's list of sizes has; the form's own is Phi-3's.
REAL_MODEL_SIZE = "Standard_DS3_v2"
_MODEL = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Dataset:
    """A data set on the local Hub; ``folder`` is what it serves as ``repo_id``, None if it has the data already."""

    repo_id: str
    folder: Path | None = None


@dataclass(frozen=True)
class Request:
    """The options of one run; for None the Dag's own default holds."""

    dataset: Dataset | None = None
    split_pc: float | None = None
    model: str | None = None
    epochs: int | None = None
    fault: FaultPlan | None = None

    def conf(self) -> dict[str, Any]:
        """The run's configuration, by the names of the Dag's params."""
        options: dict[str, Any] = {
            "dataset": self.dataset.repo_id if self.dataset else None,
            "split_pc": self.split_pc,
            "model_name": self.model,
            "num_train_epochs": self.epochs,
            "instance_type": REAL_MODEL_SIZE if self.model == REAL_MODEL else None,
        }
        return {name: value for name, value in options.items() if value is not None} | (
            self.fault.conf if self.fault else {}
        )


def dataset(text: str) -> Dataset:
    """``DATASET=``: a folder or file that exists, else a Hub id; raises ``BadInputError`` if it can be neither."""
    path = Path(text).expanduser()
    if path.exists():
        if not any(_is_data(file) for file in ([path] if path.is_file() else _below(path))):
            raise BadInputError(
                f"DATASET={text!r} holds no .jsonl or .parquet file (or .json, or one packed by gzip or zstd): "
                "name a folder that does."
            )
        return Dataset(f"local/{_hub_name(path.resolve())}", path.resolve())
    if not _HUB_ID.fullmatch(text) or text.endswith(DATA_SUFFIXES):
        raise BadInputError(
            f"DATASET={text!r} is no folder here and no Hub id: give an existing folder, or 'owner/name'."
        )
    return Dataset(text)


def _below(folder: Path) -> list[Path]:
    """All files; what begins with a dot is no data, at any depth."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return [
        file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]


def _is_data(file: Path) -> bool:
    return (Path(file.stem).suffix if file.suffix in PACKED else file.suffix) in DATA_SUFFIXES


def _hub_name(path: Path) -> str:
    """A name that the Hub takes: ASCII letters and digits, single dashes and dots, none of them at an end."""
    name = path.name.partition(".")[0] if path.is_file() else path.name
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    name = re.sub(r"[-.]{2,}", "-", re.sub(r"[^A-Za-z0-9_.-]+", "-", ascii_name))[:MAX_NAME].strip("-._")
    return name or "dataset"


def split_pc(text: str) -> float:
    """``SPLIT_PC=``: a number above 0 and up to 100, or ``BadInputError``."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 100:
        raise BadInputError(
            f"SPLIT_PC={text!r} is no percentage: give a number above 0 and up to 100, for example 5."
        )
    return value


def epochs(text: str) -> int:
    """``EPOCHS=``: a whole number from 1 on, or ``BadInputError``."""
    if not text.isdecimal() or int(text) < 1:
        raise BadInputError(f"EPOCHS={text!r} is no number of epochs: give a whole number from 1 on.")
    return int(text)


def model(text: str) -> str:
    """``MODEL=``: a name that a model of the registry can have, or ``BadInputError``."""
    # Whether the registry has the model is for the Dag to say, in its own words.
    if not _MODEL.fullmatch(text):
        raise BadInputError(
            f"MODEL={text!r} is no model name: give letters, digits, '.', '_' and '-', "
            "as in 'Phi-3-mini-4k-instruct'."
        )
    return text
