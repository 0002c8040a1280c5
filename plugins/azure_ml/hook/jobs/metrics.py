"""Metrics of a job and of its steps, over the workspace's MLflow REST API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypedDict

from azure_ml.errors import NotFound
from azure_ml.hook import workspace
from azure_ml.hook._http import RetryingClient
from azure_ml.hook._translate import translated
from azure_ml.hook.clients import Clients


class Run(TypedDict):
    """An MLflow run, as ``runs/search`` answers it."""

    info: dict[str, str]
    data: dict[str, list[dict[str, Any]]]


class Metrics:
    """``hook.metrics``."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def of_job(self, job_name: str, experiment_name: str) -> dict[str, dict[str, float]]:
        """The last value of every metric below a job, by the name of the run that logged it."""
        with translated(f"read the metrics of the job {job_name!r}"), self._client() as client:
            answer = client.get("experiments/get-by-name", params={"experiment_name": experiment_name})
            answer.raise_for_status()
            experiment = answer.json()["experiment"]["experiment_id"]
            metrics = {_name(run): _values(run) for run in _runs(client, experiment, job_name)}
        return {name: values for name, values in metrics.items() if values}

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """Every value of a metric as ``(step, value)``, in order."""
        with translated(f"read the metric {metric!r} of the run {run_id!r}"), self._client() as client:
            answer = client.get("metrics/get-history", params={"run_id": run_id, "metric_key": metric})
            answer.raise_for_status()
            entries = answer.json().get("metrics") or []
        return sorted((int(entry.get("step") or 0), float(entry["value"])) for entry in entries)

    def _client(self) -> RetryingClient:
        address = workspace.read(self._clients)["mlflow_tracking_uri"].replace("azureml://", "https://", 1)
        if not address.startswith("https://"):
            raise NotFound(f"The workspace gives {address!r} as its MLflow address, which is none.")
        return RetryingClient(
            base_url=f"{address}/api/2.0/mlflow/",
            headers={"Authorization": f"Bearer {self._clients.token()}"},
        )


def _runs(client: RetryingClient, experiment: str, job_name: str) -> Iterator[Run]:
    token: str | None = None
    while True:
        # A search changes nothing, so that this POST may be repeated.
        body = {
            "experiment_ids": [experiment],
            "filter": f"tags.mlflow.rootRunId = '{job_name}'",
            "max_results": 200,
            **({"page_token": token} if token else {}),
        }
        answer = client.post("runs/search", json=body)
        answer.raise_for_status()
        page = answer.json()
        yield from page.get("runs") or []
        token = page.get("next_page_token")
        if not token:
            return


def _values(run: Run) -> dict[str, float]:
    return {entry["key"]: float(entry["value"]) for entry in run["data"].get("metrics") or []}


def _name(run: Run) -> str:
    tags = {tag["key"]: str(tag["value"]) for tag in run["data"].get("tags") or []}
    info = run["info"]
    return info.get("run_name") or tags.get("mlflow.runName") or info["run_id"]
