"""The two logs of a deployment, that of its server and that of what comes before it."""

from __future__ import annotations

from pathlib import Path

from azureml_local.engine.processes import tail
from azureml_local.engine.store import now

SERVER, INITIALIZER = "InferenceServer", "StorageInitializer"
# File of each container's log, in the deployment's folder.
LOGS = {SERVER: "inference-server.log", INITIALIZER: "storage-initializer.log"}


def write_line(folder: Path, container: str, text: str) -> None:
    """Add a line of the service's own, with the time."""
    with (folder / LOGS[container]).open("a") as stream:
        stream.write(f"{now()} {text}\n")


def last_lines(folder: Path, container: str, lines: int) -> str:
    """The end of a log; nothing if there is none."""
    return tail(folder / LOGS[container], lines)
