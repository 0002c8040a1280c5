"""One run under chaos, looked at from the outside: Airflow's database and REST API, the service's store."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure_ml.provider import DEFAULT_PROJECT
from include.finetune import names
from tests.chaos.cases import Case
from tests.chaos.world import World

POLL_SECONDS = 1.0
TRAINING = "chat_completion_finetune"
FINAL = ("success", "failed")


class NotReached(Exception):  # noqa: N818
    """The run did not get to the point where the fault was to meet it."""


@contextlib.contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


@dataclass
class Run:
    """A run of a case.

    Attributes:
        world: where it runs.
        case: what is done to it.
        keys: the endpoint's keys, noted while the endpoint lived.
    """

    world: World
    case: Case
    attempt: int = 0
    keys: set[str] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)

    @property
    def run_id(self) -> str:
        """Its id, from the case."""
        return self.case.name + (f".{self.attempt}" if self.attempt else "")

    @property
    def dag_id(self) -> str:
        """The variant of the Dag."""
        return self.case.dag_id

    @property
    def agent(self) -> str:
        """Pattern of the User-Agent of the requests that the case's task sends in this run."""
        return f"*chaos/{self.run_id}.{self.case.task}/*"

    @property
    def endpoint(self) -> str:
        """Name of its endpoint."""
        return names.endpoint_name(self.dag_id, self.run_id, DEFAULT_PROJECT)

    @property
    def job(self) -> str:
        """First part of the name of its jobs."""
        return names.job_name(self.dag_id, self.run_id, DEFAULT_PROJECT)

    @property
    def unique(self) -> str:
        """Some letters of its own, for names of clusters and data sets."""
        return hashlib.sha256(self.run_id.encode()).hexdigest()[:8]

    def conf(self) -> dict[str, Any]:
        """The Dag's params."""
        conf: dict[str, Any] = {"compute_max_instances": 20, "deferrable": self.case.mode == "deferred"}
        if self.case.task == "prepare_compute":
            conf |= {"compute_cluster": f"c-{self.unique}", "compute_max_instances": 1}
        if self.case.fault == "preemption":
            conf["compute_cluster"] = "spot"
        if self.case.task in ("check_data", "prepare_data"):
            conf["dataset"] = f"local/{self.unique}"
        return conf

    def start(self) -> None:
        """Trigger it."""
        body = {"dag_run_id": self.run_id, "logical_date": None, "conf": self.conf(), "note": self.case.why}
        self.world.change("POST", f"{self.dag_id}/dagRuns", body)

    # -- Airflow

    def state(self) -> str:
        """State of the Dag run."""
        rows = self._airflow("SELECT state FROM dag_run WHERE dag_id = ? AND run_id = ?")
        return str(rows[0][0]) if rows else "none"

    def task(self, task_id: str | None = None) -> tuple[str, int]:
        """State and try number of a task, of the case's own by default."""
        query = "SELECT state, try_number FROM task_instance WHERE dag_id = ? AND run_id = ? AND task_id = ?"
        rows = self._airflow(query, task_id or self.case.task)
        return (str(rows[0][0]), int(rows[0][1])) if rows else ("none", 0)

    def tasks(self) -> dict[str, str]:
        """State of every task."""
        query = "SELECT task_id, state FROM task_instance WHERE dag_id = ? AND run_id = ?"
        return {str(task): str(state) for task, state in self._airflow(query)}

    def trigger_runs(self) -> bool:
        """Whether a triggerer has taken up the case's task: before that, nobody hears that it was ended."""
        logs = (
            self.world.stack.paths.airflow_home / "logs" / f"dag_id={self.dag_id}" / f"run_id={self.run_id}"
        )
        return any((logs / f"task_id={self.case.task}").glob("*.trigger.*"))

    def is_busy(self) -> bool:
        """Whether a task of it is under way."""
        return bool({"running", "restarting", "queued", "deferred"} & set(self.tasks().values()))

    def pid(self) -> int:
        """Process id of the case's task."""
        return int(self._pid_file().read_text())

    def pid_is_known(self) -> bool:
        """Whether the case's task has come to its work."""
        return self._pid_file().exists()

    def _pid_file(self) -> Path:
        return self.world.holds / f"{self.run_id}.{self.case.task}.pid"

    def grow_old(self, seconds: float) -> None:
        """Put the run's start into the past: the one thing of Airflow's that is not left to time."""
        start = (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S.%f")
        query = "UPDATE dag_run SET start_date = ? WHERE dag_id = ? AND run_id = ?"
        file = self.world.stack.paths.airflow_home / "airflow.db"
        with contextlib.closing(sqlite3.connect(file, timeout=30)) as database, database:
            database.execute(query, (start, self.dag_id, self.run_id))

    def _airflow(self, query: str, *more: str) -> list[tuple[Any, ...]]:
        with reading(self.world.stack.paths.airflow_home / "airflow.db") as database:
            return database.execute(query, (self.dag_id, self.run_id, *more)).fetchall()

    # -- Azure ML

    def documents(self, kind: str) -> dict[str, dict[str, Any]]:
        """The service's documents of a kind that carry this run's tags or names."""
        with reading(self.world.stack.paths.azureml_home / "state.db") as database:
            rows = database.execute("SELECT key, body FROM documents WHERE kind = ?", (kind,)).fetchall()
        documents = {key: json.loads(body) for key, body in rows if self.run_id in body or self._named(key)}
        return {
            key: body for key, body in documents.items() if self._named(key) or _owner(body) == self.run_id
        }

    def _named(self, key: str) -> bool:
        return key.startswith((self.job, self.endpoint))

    def jobs(self) -> dict[str, str]:
        """Status of each of its jobs."""
        return {
            key: str(body["status"])
            for key, body in self.documents("runs").items()
            if body.get("parentRunId") is None and body["kind"] != "mlflow"
        }

    def trainings(self) -> int:
        """Training steps that have begun, and so cost money."""
        with reading(self.world.stack.paths.azureml_home / "state.db") as database:
            rows = database.execute(
                "SELECT body FROM documents WHERE kind = 'runs' AND body LIKE ?", (f"%{TRAINING}%",)
            ).fetchall()
        steps = [json.loads(body) for (body,) in rows]
        return sum(
            1
            for step in steps
            if step["displayName"] == TRAINING
            and step.get("startTime")
            and str(step["rootRunId"]).startswith(self.job)
        )

    def training_runs(self) -> bool:
        """Whether a training step is under way."""
        with reading(self.world.stack.paths.azureml_home / "state.db") as database:
            rows = database.execute(
                "SELECT body FROM documents WHERE kind = 'runs' AND body LIKE ?", (f"%{self.job}%",)
            ).fetchall()
        steps = [json.loads(body) for (body,) in rows]
        return any(step["displayName"] == TRAINING and step["status"] == "Running" for step in steps)

    def note_keys(self) -> None:
        """Keep the endpoint's keys, while it has some."""
        for keys in self.documents("endpointKeys").values():
            self.keys |= {str(key) for key in keys.values()}

    # -- waiting

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Look until it holds; tells whether it did in time."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                return False
            self.note_keys()
            time.sleep(POLL_SECONDS)
        return True

    def hold_task(self, task_id: str | None = None) -> Path:
        """File that keeps a task before its work, the case's own by default."""
        return self.world.holds / f"{self.run_id}.{task_id or self.case.task}"

    def hold_job(self) -> Path:
        """File that keeps the run's training step in its work."""
        return self.world.holds / self.job

    def release(self) -> None:
        """Let what is held go on."""
        for task in (None, "cancel_job", "delete_endpoint"):
            self.hold_task(task).unlink(missing_ok=True)
        self.hold_job().unlink(missing_ok=True)

    def kill_worker(self, number: int) -> None:
        """Kill the task's process and its supervisor."""
        pid = self.pid()
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if parent > 1:
            os.kill(parent, number)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _owner(body: dict[str, Any]) -> str:
    tags = body.get("tags") or (body.get("properties") or {}).get("tags") or {}
    return str(tags.get("airflow_run_id", ""))
