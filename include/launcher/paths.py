"""Where the launcher keeps things: everything lies below ``.local``, which Git ignores."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Paths:
    """The folders and files of one stack.

    Attributes:
        local: folder of all state; ``FINETUNE_LOCAL`` moves it.
    """

    local: Path

    @classmethod
    def from_environment(cls) -> Paths:
        """``<project>/.local``, or the folder that ``FINETUNE_LOCAL`` names."""
        return cls(Path(os.environ.get("FINETUNE_LOCAL", ROOT / ".local")).resolve())

    @property
    def records(self) -> Path:
        """One JSON file a running process."""
        return self.local / "run"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.local / "logs"

    @property
    def airflow_home(self) -> Path:
        """Airflow's home: metadata database, task logs."""
        return self.local / "airflow"

    @property
    def azureml_home(self) -> Path:
        """The local Azure ML's home: its state, ``azure.env``, its certificate authority."""
        return self.local / "azureml"

    @property
    def last_run(self) -> Path:
        """What the last ``make run`` did, as JSON."""
        return self.local / "last_run.json"
