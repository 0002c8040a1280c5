"""A small client of the local Azure ML: its control routes, and the few calls of Azure that the summary needs."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from include.launcher import environment
from include.launcher.errors import ApiError
from include.launcher.paths import Paths

Json = dict[str, Any]
ENDPOINT_API_VERSION = "2022-02-01-preview"
CONNECTION_ID = "azure_ml_default"
# Control routes want a header that no page in a browser can send.
CONTROL = {"X-AzureML-Local": "control"}


def connection_extra(env: Mapping[str, str]) -> Json:
    """``extra`` of the connection to a local Azure ML, from the variables of its ``azure.env``."""
    return {
        "subscription_id": env["AZURE_SUBSCRIPTION_ID"],
        "resource_group": env["AZURE_RESOURCE_GROUP"],
        "workspace_name": env["AZURE_ML_WORKSPACE"],
        "registry_name": env["AZURE_ML_REGISTRY"],
        "tenant_id": env["AZURE_TENANT_ID"],
        "auth_type": "managed_identity",
    }


class AzureMLApi:
    """A client of the local Azure ML at a port of the loopback interface."""

    def __init__(self, port: int, paths: Paths) -> None:
        self.base_url, self._paths = f"https://localhost:{port}", paths
        self._client: httpx.Client | None = None

    @property
    def _http(self) -> httpx.Client:
        # Made at first use: the service itself writes its certificate authority.
        if self._client is None:
            authority = self._paths.azureml_home / "ca.pem"
            context = ssl.create_default_context(cafile=str(authority))
            # The service may close a connection that was kept alive just when it is used again.
            self._client = httpx.Client(
                base_url=self.base_url,
                verify=context,
                timeout=60,
                trust_env=False,
                limits=httpx.Limits(max_keepalive_connections=0),
            )
        return self._client

    def is_healthy(self) -> bool:
        """Whether the service answers with success.

        Raises:
            OSError: Before its certificate authority exists.
            httpx.HTTPError: If it does not answer.
        """
        try:
            return self._http.get("/_local/health").is_success
        except httpx.ConnectError:
            # The service may have made a new authority since.
            self._client = None
            raise

    def connection(self) -> Json:
        """The Airflow connection to this service."""
        return {
            "connection_id": CONNECTION_ID,
            "conn_type": "azure_ml",
            "description": "The local Azure ML of this machine",
            "extra": connection_extra(environment.azure(self._paths)),
        }

    def register_dataset(self, repo_id: str, folder: Path) -> Json:
        """Let the local Hub serve a folder or file; returns ``rows`` of each split, and files ``passed_over``."""
        body = {"repo_id": repo_id, "folder": str(folder)}
        return dict(self.control("POST", "/_local/hub/datasets", body))

    def add_faults(self, faults: list[Json]) -> None:
        """Arm faults; the control route checks each."""
        for fault in faults:
            self.control("POST", "/_local/faults", fault)

    def clear_faults(self) -> int:
        """Disarm all faults; returns their number."""
        armed = len(self.control("GET", "/_local/faults")["value"])
        if armed:
            self.control("DELETE", "/_local/faults")
        return armed

    def endpoint_exists(self, name: str) -> bool:
        """Whether the workspace has this endpoint, by the route that Azure has, too."""
        path = f"onlineEndpoints/{name}"
        response = self.ask("GET", path, ENDPOINT_API_VERSION, allow=HTTPStatus.NOT_FOUND)
        return response.status_code != HTTPStatus.NOT_FOUND

    def ask(
        self, method: str, path: str, api_version: str, body: Json | None = None, *, allow: int = 0
    ) -> httpx.Response:
        """Send a request to Azure Resource Manager.

        Args:
            method: HTTP method.
            path: Path below the workspace, such as ``onlineEndpoints/chat``.
            api_version: Version of the ARM API.
            body: Body as JSON.
            allow: Status that is no error, besides those of success.

        Raises:
            ApiError: For every other status.
        """
        url = f"{self._workspace()}/{path}"
        query = {"api-version": api_version}
        answer = self._http.request(method, url, params=query, headers=self._token(), json=body)
        if answer.is_success or answer.status_code == allow:
            return answer
        raise ApiError(
            f"The local Azure ML answered {answer.status_code} to {method} {url}: {answer.text[:300]}"
        )

    def losses(self, job: str, experiment: str) -> list[tuple[int, float]]:
        """The training loss so far, as pairs of step and loss, from the job's MLflow runs; empty at first."""
        api = f"/mlflow/v1.0{self._workspace()}/api/2.0/mlflow"
        by_name = {"experiment_name": experiment}
        response = self._mlflow("GET", f"{api}/experiments/get-by-name", params=by_name)
        if response is None:
            return []
        query = {
            "experiment_ids": [response["experiment"]["experiment_id"]],
            "filter": f"tags.mlflow.rootRunId = '{job}'",
            "max_results": 20,
        }
        for run in (self._mlflow("POST", f"{api}/runs/search", json=query) or {}).get("runs", []):
            names = {metric["key"] for metric in run["data"].get("metrics", [])}
            if "loss" in names:
                params = {"run_id": run["info"]["run_id"], "metric_key": "loss"}
                history = self._mlflow("GET", f"{api}/metrics/get-history", params=params) or {}
                return [(int(point["step"]), float(point["value"])) for point in history.get("metrics", [])]
        return []

    def _mlflow(self, method: str, path: str, **request: Any) -> Json | None:
        answer = self._http.request(method, path, headers=self._token(), **request)
        return dict(answer.json()) if answer.is_success else None

    def _workspace(self) -> str:
        env = environment.azure(self._paths)
        return (
            f"/subscriptions/{env['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{env['AZURE_RESOURCE_GROUP']}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{env['AZURE_ML_WORKSPACE']}"
        )

    def _token(self) -> dict[str, str]:
        env = environment.azure(self._paths)
        answer = self._http.get(
            "/msi/token",
            params={"resource": self.base_url, "api-version": "2019-08-01"},
            headers={"X-IDENTITY-HEADER": env["IDENTITY_HEADER"]},
        )
        if answer.is_error:
            raise ApiError(f"The local Azure ML gives no token ({answer.status_code}): {answer.text[:300]}")
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def control(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send a request to a control route, such as ``/_local/faults``; raises ``ApiError`` if it is refused."""
        answer = self._http.request(method, path, json=body, headers=CONTROL)
        if answer.is_error:
            raise ApiError(_message(answer))
        return dict(answer.json())


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The local Azure ML answered {answer.status_code}: {answer.text[:300]}"
