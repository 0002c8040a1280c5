"""A small client of Airflow's REST API, with the calls that the launcher needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from http import HTTPStatus
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from include.launcher.errors import ApiError

Json = dict[str, Any]
RETRY_FOR_SECONDS = 60.0
RETRY_SECONDS = 1.0
FINAL_RUN_STATES = frozenset({"success", "failed"})
FINAL_TASK_STATES = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})


@dataclass(frozen=True)
class TaskRow:
    """One task of a run."""

    # Id of the task.
    task_id: str
    # Airflow's state, ``none`` before it is scheduled.
    state: str
    # Duration of the last try so far; None before its start.
    seconds: float | None
    # Number of the last try, from 1; 0 before the first.
    try_number: int


class AirflowApi:
    """A client of one Airflow, as one user.

    Args:
        base_url: For example ``http://localhost:8080``.
        user: Name of the user.
        password: Password, sent to ``/auth/token`` only.
        retry_for_seconds: How long a request without an answer, or with a 5xx, is retried.
    """

    def __init__(
        self, base_url: str, user: str, password: str, retry_for_seconds: float = RETRY_FOR_SECONDS
    ) -> None:
        self.base_url, self.user, self._password = base_url, user, password
        self._retry_for_seconds = retry_for_seconds
        self._http = httpx.Client(base_url=base_url, timeout=30, trust_env=False)

    def is_healthy(self) -> bool:
        """Whether the database and the three daemons are healthy; raises ``httpx.HTTPError`` without an answer."""
        answer = self._http.get("/api/v2/monitor/health")
        parts = answer.json() if answer.is_success else {}
        names = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return all((parts.get(name) or {}).get("status") == "healthy" for name in names)

    def put_connection(self, connection: Json) -> None:
        """Create or update a connection; its ``extra`` is an object."""
        body = {**connection, "extra": json.dumps(connection["extra"])}
        path = f"/api/v2/connections/{connection['connection_id']}"
        if self.send("GET", path, allow=HTTPStatus.NOT_FOUND) is None:
            self.send("POST", "/api/v2/connections", body, allow=HTTPStatus.CONFLICT)
        else:
            self.send("PATCH", path, body)

    def find_dag(self, dag_id: str) -> Json | None:
        """The Dag as parsed; None if Airflow has not parsed it yet."""
        return self.send("GET", f"/api/v2/dags/{dag_id}", allow=HTTPStatus.NOT_FOUND)

    def import_errors(self) -> list[Json]:
        """The import errors of the Dag folder, each with ``filename`` and ``stack_trace``."""
        return list((self.send("GET", "/api/v2/importErrors") or {}).get("import_errors", []))

    def trigger(self, dag_id: str, conf: Json, note: str) -> str:
        """Start a run by hand and return its id."""
        # The id is chosen here, so that a second try of the request starts no second run.
        run_id = f"manual__{datetime.now(UTC).isoformat()}"
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf, "note": note}
        self.send("POST", f"/api/v2/dags/{dag_id}/dagRuns", body, allow=HTTPStatus.CONFLICT)
        return run_id

    def unpause(self, dag_id: str) -> None:
        """Let the Dag's runs start."""
        self.send("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})

    def unfinished_runs(self, dag_id: str) -> list[str]:
        """Ids of the runs that are queued or running."""
        answer = self._must("GET", f"/api/v2/dags/{dag_id}/dagRuns?state=running&state=queued")
        return [run["dag_run_id"] for run in answer["dag_runs"]]

    def mark_failed(self, dag_id: str, run_id: str) -> None:
        """End a run; its teardowns still run."""
        self.send("PATCH", f"{_run_path(dag_id, run_id)}", {"state": "failed"})

    def run_state(self, dag_id: str, run_id: str) -> Json:
        """The run, with ``state``, ``start_date`` and ``end_date``."""
        return self._must("GET", _run_path(dag_id, run_id))

    def tasks(self, dag_id: str, run_id: str) -> list[TaskRow]:
        """The run's tasks as they stand."""
        answer = self._must("GET", f"{_run_path(dag_id, run_id)}/taskInstances?limit=100")
        return [
            TaskRow(row["task_id"], row["state"] or "none", _seconds(row), row["try_number"])
            for row in answer["task_instances"]
        ]

    def task_order(self, dag_id: str) -> list[str]:
        """The Dag's task ids, each after its upstream tasks."""
        tasks = self._must("GET", f"/api/v2/dags/{dag_id}/tasks")["tasks"]
        sorter: TopologicalSorter[str] = TopologicalSorter({task["task_id"]: [] for task in tasks})
        for task in tasks:
            for after in task["downstream_task_ids"]:
                sorter.add(after, task["task_id"])
        return list(sorter.static_order())

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """The task's XCom ``return_value``; None if it returned nothing."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{task_id}/xcomEntries/return_value?stringify=false"
        answer = self.send("GET", path, allow=HTTPStatus.NOT_FOUND)
        return None if answer is None else answer["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> list[Json]:
        """The lines of a task's log as objects with ``event``; an error has ``error_detail``, too."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances/{task_id}/logs/{try_number}?full_content=true"
        answer = self.send("GET", path, allow=HTTPStatus.NOT_FOUND) or {}
        return [line if isinstance(line, dict) else {"event": line} for line in answer.get("content", [])]

    def _must(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = self.send(method, path, body)
        return answer if answer is not None else {}

    def send(self, method: str, path: str, body: Json | None = None, *, allow: int = 0) -> Json | None:
        """Send a request and return its body; None for the status ``allow``.

        Raises:
            ApiError: For any other error status.
        """
        answer = self._request(method, path, body)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            self._log_in()
            answer = self._request(method, path, body)
        if answer.status_code == allow:
            return None
        if answer.is_error:
            raise ApiError(f"Airflow refused {method} {path} with {answer.status_code}: {_detail(answer)}")
        return dict(answer.json()) if answer.content else {}

    def _request(self, method: str, path: str, body: Json | None) -> httpx.Response:
        # A machine that trains may be slow to answer, and SQLite may be locked. Every request may be sent twice: the
        # caller names what it creates.
        attempts = Retrying(
            retry=retry_if_exception_type(httpx.TransportError)
            | retry_if_result(lambda answer: answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR),
            stop=stop_after_delay(self._retry_for_seconds),
            wait=wait_fixed(RETRY_SECONDS),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        try:
            answer: httpx.Response = attempts(self._http.request, method, path, json=body)
        except httpx.TransportError as error:
            raise ApiError(
                f"Airflow at {self.base_url} does not answer {method} {path}: {error!r}."
            ) from error
        return answer

    def _log_in(self) -> None:
        answer = self._request("POST", "/auth/token", {"username": self.user, "password": self._password})
        if answer.is_error:
            raise ApiError(
                f"Airflow at {self.base_url} does not take the password of user {self.user!r}: "
                "is it another stack's? 'make down' and 'make up' start afresh."
            )
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def _seconds(row: Json) -> float | None:
    if not row["start_date"]:
        return None
    end = datetime.fromisoformat(row["end_date"]) if row["end_date"] else datetime.now(UTC)
    return max(0.0, (end - datetime.fromisoformat(row["start_date"])).total_seconds())


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", answer.text))[:500]
    except ValueError:
        return answer.text[:500]
