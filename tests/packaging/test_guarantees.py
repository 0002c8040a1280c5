"""docs/guarantees.md: every time that it promises is that of the settings and of the code."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from airflow.configuration import conf

from azure_ml.backoff import ATTEMPTS
from azure_ml.hook.jobs.logs import CHUNK_BYTES
from azure_ml.lifecycle.callbacks import AT_ONCE_SECONDS
from azure_ml.lifecycle.tags import ENDPOINT_LEASE
from azure_ml.lifecycle.teardown import SETTLE_SECONDS
from azure_ml.operators import AzureMLDeleteEndpointOperator, AzureMLSubmitPipelineJobOperator
from include.finetune.lifecycle import DEADLINE
from include.launcher import environment
from include.launcher.paths import Paths
from tests.chaos import promises
from tests.support.azureml_service import ROOT

PAGE = " ".join((ROOT / "docs" / "guarantees.md").read_text().split())
COMPOSE: dict[str, str] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["x-airflow-environment"]

assert isinstance(DEADLINE.interval, timedelta)
DEADLINE_HOURS = round(DEADLINE.interval.total_seconds() / 3600)
JOB_LEASE = inspect.signature(AzureMLSubmitPipelineJobOperator.__init__).parameters["lease"].default


def default(section: str, key: str) -> int:
    """Seconds of Airflow's own default, whatever is set here."""
    return round(float(str(conf.get_default_value(section, key))))


def hours(span: timedelta) -> int:
    return round(span.total_seconds() / 3600)


@pytest.fixture
def launched(tmp_path: Path) -> dict[str, str]:
    """The settings of ``make run``."""
    return environment.airflow(Paths(tmp_path), 8080)


def test_the_interval_for_orphaned_tasks_is_the_promised_one_wherever_we_set_airflow_up(
    launched: dict[str, str],
) -> None:
    name = "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL"
    assert launched[name] == COMPOSE[name] == "30"
    assert f"`[scheduler] orphaned_tasks_check_interval` to {launched[name]} s" in PAGE


def test_tasks_of_a_dead_scheduler_are_taken_up_in_the_promised_time(launched: dict[str, str]) -> None:
    every = int(launched["AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL"])
    dead = default("scheduler", "scheduler_health_check_threshold")
    assert f"dead {dead} s after its last heartbeat, looks every {every} s" in PAGE
    assert PAGE.count(f"within {dead + every} s |") == 2
    default_wait = dead + default("scheduler", "orphaned_tasks_check_interval")
    assert f"wait up to {default_wait} s" in PAGE


def test_nothing_changes_another_setting_on_which_a_promised_time_rests(launched: dict[str, str]) -> None:
    rests_on = re.compile(
        r"AIRFLOW__(SCHEDULER|TRIGGERER|WORKERS|DAG_PROCESSOR)__.*(HEARTBEAT|THRESHOLD|KILL|TIMEOUT)"
    )
    changed = {name for name in [*launched, *COMPOSE] if rests_on.match(name)}
    assert changed == {"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"}


def test_the_heartbeat_timeout_is_the_promised_one(launched: dict[str, str]) -> None:
    usual = default("scheduler", "task_instance_heartbeat_timeout")
    ours = launched["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"]
    assert f"a heartbeat timeout of {ours} s instead of {usual} s" in PAGE
    assert f"scheduler, {usual} s (heartbeats)" in PAGE


@pytest.mark.parametrize(
    "sentence",
    [
        f"the next triggerer, {default('triggerer', 'triggerer_health_check_threshold')} s after the last heartbeat",
        f"a running task at its next heartbeat, {default('workers', 'min_heartbeat_interval')} s, and is dead",
        f"kills one after {default('dag_processor', 'dag_file_processor_timeout')} s",
        f"asks, and does not wait ({AT_ONCE_SECONDS:.0f} s at most)",
        f"the Dag's callback has {AT_ONCE_SECONDS:.0f} s",
        f"look again after {SETTLE_SECONDS:.0f} s if a killed task may still act",
        f"{DEADLINE_HOURS} h after the run was made",
        f"deadline, {DEADLINE_HOURS} h; the reaper does not",
        f"endpoints {hours(ENDPOINT_LEASE)} h, jobs {hours(JOB_LEASE)} h",
        "`check_data`: up to six attempts",
        "at most one megabyte",
        "every 15 minutes (`AZURE_ML_REAP_SCHEDULE`)",
        "the teardown waits again (1 h)",
    ],
)
def test_a_time_of_the_page_is_that_of_the_code(sentence: str) -> None:
    assert sentence in PAGE


def test_the_numbers_that_the_page_writes_out_are_those_of_the_code() -> None:
    assert (ATTEMPTS, CHUNK_BYTES) == (6, 1 << 20)
    assert '"*/15 * * * *"' in (ROOT / "dags" / "reap_orphans.py").read_text()
    delete = AzureMLDeleteEndpointOperator(task_id="delete", endpoint_name="an-endpoint", created_by=[])
    assert delete.timeout_seconds == 3600


def test_chaos_reads_its_limits_from_the_page() -> None:
    limits = promises.load()
    assert set(limits) == {"success", "failed", "run-marked-failed", "run-timeout", "on_kill"}
    assert limits["success"] == limits["failed"] == 0
    assert limits["run-timeout"] >= AT_ONCE_SECONDS
