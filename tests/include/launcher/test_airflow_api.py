"""The client of Airflow's REST API, against answers over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from include.launcher.airflow_api import AirflowApi
from include.launcher.errors import ApiError

TASKS = {
    "tasks": [
        {"task_id": "b", "downstream_task_ids": ["c"]},
        {"task_id": "c", "downstream_task_ids": []},
        {"task_id": "a", "downstream_task_ids": ["b", "c"]},
    ]
}


class Airflow(BaseHTTPRequestHandler):
    """Knows one token and two paths; drops the first connection that it is told to drop."""

    drops = 0
    tokens = 0
    stumbles = 0
    runs: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        """A token for the right password; a run, whose first answers may be errors although it is started."""
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/dagRuns"):
            if self.headers["Authorization"] != "Bearer t":
                self._answer(401, {"detail": "Not authenticated"})
                return
            known = said["dag_run_id"] in self.runs
            self.runs.add(said["dag_run_id"])
            type(self).stumbles -= 1
            self._answer(500 if self.stumbles >= 0 else 409 if known else 200, {})
            return
        type(self).tokens += 1
        self._answer(
            *((201, {"access_token": "t"}) if said["password"] == "right" else (401, {"detail": "no"}))
        )

    def do_GET(self) -> None:
        """The Dag's tasks, for who has the token."""
        if type(self).drops:
            type(self).drops -= 1
            self.close_connection = True
            return
        if self.headers["Authorization"] != "Bearer t":
            self._answer(401, {"detail": "Not authenticated"})
        elif self.path == "/api/v2/dags/d/tasks":
            self._answer(200, TASKS)
        else:
            self._answer(404, {"detail": "The Dag was not found"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Quiet."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def url() -> Iterator[str]:
    """The server's address."""
    Airflow.drops = Airflow.tokens = Airflow.stumbles = 0
    Airflow.runs.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Airflow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_tasks_come_after_those_that_they_wait_for(url: str) -> None:
    assert AirflowApi(url, "admin", "right").task_order("d") == ["a", "b", "c"]


def test_a_token_is_fetched_once_and_used_again(url: str) -> None:
    api = AirflowApi(url, "admin", "right")
    api.task_order("d")
    api.task_order("d")
    assert Airflow.tokens == 1


def test_a_wrong_password_gives_the_cure(url: str) -> None:
    with pytest.raises(ApiError, match=r"does not take the password of user 'admin': .* 'make down'"):
        AirflowApi(url, "admin", "wrong").task_order("d")


def test_what_is_not_there_is_none(url: str) -> None:
    assert AirflowApi(url, "admin", "right").find_dag("missing") is None


def test_a_refusal_quotes_airflow(url: str) -> None:
    with pytest.raises(
        ApiError, match="Airflow refused GET /api/v2/dags/x/tasks with 404: The Dag was not found"
    ):
        AirflowApi(url, "admin", "right").task_order("x")


def test_a_connection_that_breaks_while_reading_is_tried_again(url: str) -> None:
    Airflow.drops = 1
    assert AirflowApi(url, "admin", "right").task_order("d") == ["a", "b", "c"]


def test_a_server_that_stumbles_is_asked_again_and_a_run_is_started_once(url: str) -> None:
    Airflow.stumbles = 2
    run_id = AirflowApi(url, "admin", "right").trigger("d", {}, "")
    assert Airflow.runs == {run_id}


def test_a_server_that_stays_down_is_an_error_after_the_given_time() -> None:
    with pytest.raises(ApiError, match="does not answer POST"):
        AirflowApi("http://127.0.0.1:9", "admin", "right", retry_for_seconds=0).trigger("d", {}, "")
