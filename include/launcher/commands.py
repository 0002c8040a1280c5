"""The commands of the stack's processes; ``docker-compose.yaml`` runs the same ones, and a test compares."""

from __future__ import annotations

import sys
from pathlib import Path

MIGRATE = ("airflow", "db", "migrate")
# Logs are read from a shared folder, so no process serves its own over the network.
AIRFLOW = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
}
# Only in docker-compose.yaml: on one machine the scheduler runs the tasks itself.
CELERY_WORKER = ("airflow", "celery", "worker", "--skip-serve-logs")
AZUREML_LOCAL = ("python", "-m", "azureml_local")


def resolve(command: tuple[str, ...]) -> list[str]:
    """The command with its program from the running interpreter's environment, whatever ``PATH`` says."""
    program = sys.executable if command[0] == "python" else str(Path(sys.executable).with_name(command[0]))
    return [program, *command[1:]]
