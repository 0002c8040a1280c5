"""Metrics of a job and of its steps, over the workspace's MLflow REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure_ml.errors import NotFound
from azure_ml.hook._translate import translated

if TYPE_CHECKING:
    import httpx

    from azure_ml.hook.client import AzureMLHook


class Metrics:
    """``hook.metrics``."""

    def __init__(self, hook: AzureMLHook) -> None:
        self._hook = hook

    def of_job(self, job_name: str, experiment_name: str) -> dict[str, dict[str, float]]:
        """The last value of every metric, by the name of the run that logged it.

        Args:
            job_name: the job, root of the runs.
            experiment_name: of the job.

        Raises:
            NotFound: if the workspace has no such experiment.
        """
        with translated(f"read the metrics of the job {job_name!r}"), self._client() as client:
            answer = client.get("experiments/get-by-name", params={"experiment_name": experiment_name})
            answer.raise_for_status()
            experiment = answer.json()["experiment"]["experiment_id"]
            found: dict[str, dict[str, float]] = {}
            for run in self._runs(client, experiment, job_name):
                values = {entry["key"]: float(entry["value"]) for entry in run["data"].get("metrics") or []}
                if values:
                    found[_name(run)] = values
        return found

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        """Every value of a metric as ``(step, value)``, in order."""
        with translated(f"read the metric {metric!r} of the run {run_id!r}"), self._client() as client:
            answer = client.get("metrics/get-history", params={"run_id": run_id, "metric_key": metric})
            answer.raise_for_status()
            entries = answer.json().get("metrics") or []
        return sorted((int(entry.get("step") or 0), float(entry["value"])) for entry in entries)

    def _client(self) -> httpx.Client:
        from azure_ml.hook._http import RetryingClient

        address = self._hook.workspace()["mlflow_tracking_uri"].replace("azureml://", "https://", 1)
        if not address.startswith("https://"):
            raise NotFound(f"The workspace gives {address!r} as its MLflow address, which is none.")
        return RetryingClient(
            base_url=f"{address}/api/2.0/mlflow/",
            headers={"Authorization": f"Bearer {self._hook.token()}"},
        )

    @staticmethod
    def _runs(client: httpx.Client, experiment: str, job_name: str) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            body = {
                "experiment_ids": [experiment],
                "filter": f"tags.mlflow.rootRunId = '{job_name}'",
                "max_results": 200,
                **({"page_token": token} if token else {}),
            }
            answer = client.post("runs/search", json=body)
            answer.raise_for_status()
            page = answer.json()
            runs += page.get("runs") or []
            token = page.get("next_page_token")
            if not token:
                return runs


def _name(run: dict[str, Any]) -> str:
    tags = {tag["key"]: tag["value"] for tag in run["data"].get("tags") or []}
    info = run["info"]
    return str(info.get("run_name") or tags.get("mlflow.runName") or info["run_id"])
