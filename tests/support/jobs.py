"""Command jobs of tests: submitted, waited for, read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.azureml_service import AzureMLLocal
from tests.support.waiting import finished

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def run(client: MLClient, line: str, status: str = "Completed", **settings: Any) -> Any:
    """A command job, once it has ended in that state."""
    from azure.ai.ml import command

    job = command(command=line, environment="azureml:anything:1", compute="one-node", **settings)
    done = finished(client, client.jobs.create_or_update(job, skip_validation=True).name)
    assert done.status == status
    return done


def log_of(client: MLClient, job: str, folder: Path) -> str:
    """The log of a command job."""
    client.jobs.download(job, download_path=folder)
    return (folder / "artifacts/user_logs/std_log.txt").read_text()


def output_file(service: AzureMLLocal, job: str, output: str, name: str) -> str:
    """A file that a job wrote, read from disk."""
    (found,) = (service.home / "blobs" / "localstore").glob(f"*/azureml/{job}/{output}/{name}")
    return Path(found).read_text()
