"""One stack for chaos: Airflow and the local Azure ML, quick where production is patient."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.launcher import environment, processes, stack
from include.launcher.paths import ROOT, Paths
from tests.chaos import catalogue

HERE = Path(__file__).parent
SERVING = HERE.parent / "support" / "serving_standin.py"
SETTINGS = """\
import os
import sys

if "scheduler" in sys.argv or "triggerer" in sys.argv:
    # One certificate to read in place of a bundle of hundreds, at every new connection.
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = {authority!r}
if "api-server" in sys.argv:
    # It writes its audit log in its event loop, and then waits there for locks that its own threads hold.
    import airflow.settings

    SQL_ALCHEMY_CONN = airflow.settings.SQL_ALCHEMY_CONN.replace("timeout=30", "timeout=2")
if "scheduler" in sys.argv:
    # The task processes are forked from here and have for nothing what is imported now.
    import azure.ai.ml, azure.ai.ml.entities, azure.identity, datasets, pandas, httpx, rich.table
    import airflow.sdk.execution_time.supervisor, airflow.sdk.execution_time.task_runner
    import airflow.sdk.execution_time.callback_runner, airflow.dag_processing.dagbag
    import airflow.dag_processing.importers.python_importer

    sys.path.insert(0, {dags!r})
    import finetune_chat_completion
"""
"""Airflow runs it in each of its processes."""

AIRFLOW: dict[str, str] = {
    "CORE__DAGS_FOLDER": str(HERE / "dags"),
    "CORE__PARALLELISM": "10",
    "CORE__MAX_ACTIVE_TASKS_PER_DAG": "100",
    "CORE__MAX_ACTIVE_RUNS_PER_DAG": "100",
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
    "DAG_PROCESSOR__PARSING_PROCESSES": "1",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    "SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "2",
    "TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "TRIGGERER__ON_KILL_TIMEOUT": "10",
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "3",
    "WORKERS__EXECUTION_API_TIMEOUT": "20",
    "LOGGING__LOGGING_LEVEL": "INFO",
}


@dataclass
class World:
    """A running stack with what chaos adds to it.

    Attributes:
        stack: its clients.
        holds: folder whose files hold tasks and training steps.
        password: Secret of the Airflow connection; it may stand nowhere else.
        changes: settings of Airflow that differ from the launcher's.
        turn: Lock around changes in Airflow, which with SQLite makes one at a time.
    """

    stack: stack.Stack
    holds: Path
    password: str
    changes: Mapping[str, str]
    turn: threading.Lock = field(default_factory=threading.Lock)

    def change(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        """Ask Airflow's REST API for a change; one that is made already is no error."""
        with self.turn:
            self.stack.airflow.send(method, f"/api/v2/dags/{path}", dict(body), allow=409)

    @property
    def local(self) -> Path:
        """The stack's folder."""
        return self.stack.paths.state

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send one service a signal; its children get none."""
        os.kill(processes.read_records(self.stack.paths.records)[name].pid, number)

    def end(self, name: str) -> None:
        """End one service and its children, as its service manager would."""
        processes.end(self.local, names=frozenset([name]), grace_seconds=5)

    def revive(self) -> None:
        """Start again what does not run."""
        prepare(self.local)
        again = stack.up(self.stack.paths, lambda _: None, self.changes)
        self.stack.started += again.started


def prepare(local: Path) -> None:
    """Settings of the service in the environment, and of the scheduler in its file."""
    os.environ["AZUREML_LOCAL_CATALOGUE"] = str(catalogue.write(local / "catalogue"))
    os.environ["AZUREML_LOCAL_SERVING_SCRIPT"] = str(SERVING)
    os.environ["AZUREML_LOCAL_TIME"] = "immediate"
    os.environ["CHAOS_HOLDS"] = str(local / "holds")
    (local / "holds").mkdir(parents=True, exist_ok=True)
    config = local / "airflow" / "config"
    config.mkdir(parents=True, exist_ok=True)
    settings = SETTINGS.format(authority=str(local / "azureml" / "ca.pem"), dags=str(ROOT / "dags"))
    (config / "airflow_local_settings.py").write_text(settings)


def build(local: Path, dags: Mapping[str, object], password: str) -> World:
    """Bring a chaos stack up in a folder of its own.

    Args:
        local: the folder.
        dags: Dag id -> knobs, for :file:`dags/chaos.py`.
        password: put into the Airflow connection.
    """
    paths = Paths(local)
    prepare(local)
    os.environ["CHAOS_DAGS"] = json.dumps(dags)
    os.environ[processes.MARKER] = str(local)
    running = stack.up(paths, lambda _: None, AIRFLOW)
    # What is started again later comes back at the same address.
    for service, variable in (("api-server", "AIRFLOW_PORT"), (stack.SERVICE, "AZUREML_LOCAL_PORT")):
        os.environ[variable] = str(processes.read_records(paths.records)[service].port)
    running.airflow.put_connection({**running.azureml.connection(), "password": password})
    return World(running, local / "holds", password, AIRFLOW)


__all__ = ["ROOT", "World", "build", "environment"]
