"""The command of docker-compose.yaml that one machine does not need, on a broker without a server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from include.launcher import commands, environment, processes
from include.launcher.paths import Paths
from tests.support.azureml_service import ROOT

pytestmark = pytest.mark.timeout(180)


def test_the_celery_worker_starts_and_waits_for_tasks(tmp_path: Path) -> None:
    """Redis is a server of its own, so SQLite carries the messages; worker and command are the same."""
    paths = Paths(tmp_path)
    env = environment.airflow(paths, 8080) | {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": f"sqla+sqlite:///{tmp_path}/broker.db",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+sqlite:///{tmp_path}/results.db",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": "1",
        "AIRFLOW__CELERY__WORKER_ENABLE_REMOTE_CONTROL": "False",
        "C_FORCE_ROOT": "1",
    }
    log = paths.logs / "worker.log"
    command = commands.resolve(commands.CELERY_WORKER)
    try:
        record = processes.start("worker", command, env, log, paths.records, ROOT)
        deadline = time.monotonic() + 120
        while "ready." not in log.read_text():
            assert processes.is_alive(record), log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    finally:
        processes.end(paths.state, grace_seconds=3)
    assert processes.everything_of(paths.state) == set()
    assert (tmp_path / "broker.db").exists()
