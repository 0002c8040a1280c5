"""The launcher's folders and files, all below ``.local``, which Git ignores."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Paths:
    """The folders and files of one stack, below the folder of its state."""

    state: Path

    @classmethod
    def from_environment(cls) -> Paths:
        """``<project>/.local``, or the folder that ``FINETUNE_LOCAL`` names."""
        return cls(Path(os.environ.get("FINETUNE_LOCAL", ROOT / ".local")).resolve())

    @property
    def records(self) -> Path:
        """One JSON file per running process."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.state / "logs"

    @property
    def airflow_home(self) -> Path:
        """Airflow's home: metadata database, task logs."""
        return self.state / "airflow"

    @property
    def azureml_home(self) -> Path:
        """Home of the local Azure ML: its state, ``azure.env``, its certificate authority."""
        return self.state / "azureml"

    @property
    def last_run(self) -> Path:
        """The outcome of the last ``make run``, as JSON."""
        return self.state / "last_run.json"
