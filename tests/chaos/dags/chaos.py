"""The production Dag file under other ids, with its knobs turned: shorter pauses, shorter limits.

Nothing of what the tasks do is changed. ``CHAOS_DAGS`` has one JSON object a Dag id: ``{"timeouts": {task:
seconds}, "dagrun_timeout": seconds}``. Before its work a task waits while a file of ``CHAOS_HOLDS`` bears the
name of its run and its own; and it adds both names to the User-Agent of its requests, by which the local
Azure ML tells the clients apart.
"""

from __future__ import annotations

import importlib.util
import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, get_parsing_context
from airflow.sdk.definitions.retry_policy import RetryAction, RetryDecision, RetryPolicy

ROOT = Path(__file__).resolve().parents[3]
HOLDS = Path(os.environ["CHAOS_HOLDS"])
RETRY_SECONDS = 1.0
SETTLE_SECONDS = 8.0
POLL_SECONDS = 2.0


class QuickPolicy(RetryPolicy):
    """Decides as another policy does, and waits less."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy

    def evaluate(self, *args: Any, **kwargs: Any) -> RetryDecision:
        """The other policy's decision, its pause cut."""
        decision = self.policy.evaluate(*args, **kwargs)
        if decision.action is RetryAction.RETRY:
            return RetryDecision.retry(timedelta(seconds=RETRY_SECONDS), decision.reason)
        return decision


def arrive(context: Any) -> None:
    """Runs in the task's process, before its work."""
    ti = context["ti"]
    name = f"{ti.run_id}.{ti.task_id}"
    os.environ["AZURE_HTTP_USER_AGENT"] = f"chaos/{name}/"
    _name_httpx(f"chaos/{name}/")
    (HOLDS / f"{name}.pid").write_text(str(os.getpid()))
    while (HOLDS / name).exists():
        time.sleep(0.05)


def _name_httpx(agent: str) -> None:
    """The metrics and the logs are read with httpx, whose own User-Agent is a constant."""
    import httpx

    httpx._client.USER_AGENT = agent


def build(dag_id: str, knobs: dict[str, Any]) -> DAG:
    """One Dag out of the production file."""
    path = ROOT / "dags" / "finetune_chat_completion.py"
    spec = importlib.util.spec_from_file_location(f"finetune_as_{dag_id.replace('-', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag: Any = module.dag
    dag.dag_id = dag_id
    dag.max_active_runs, dag.max_active_tasks = 100, 100
    if seconds := knobs.get("dagrun_timeout"):
        dag.dagrun_timeout = timedelta(seconds=seconds)
    for task in dag.tasks:
        _turn(task, knobs.get("timeouts", {}).get(task.task_id))
    return dag  # type: ignore[no-any-return]


def _turn(task: Any, timeout: float | None) -> None:
    task.retry_delay = timedelta(seconds=RETRY_SECONDS)
    task.max_retry_delay = timedelta(seconds=2 * RETRY_SECONDS)
    if task.retry_policy is not None:
        task.retry_policy = QuickPolicy(task.retry_policy)
    for knob, value in (("settle_seconds", SETTLE_SECONDS), ("poll_seconds", POLL_SECONDS)):
        if hasattr(task, knob):
            setattr(task, knob, value)
    if timeout:
        # Where the job has a budget of its own, that is what bounds the task.
        knob = "run_timeout" if hasattr(task, "run_timeout") else "execution_timeout"
        setattr(task, knob, timedelta(seconds=timeout))
        if task.task_id == "deploy":
            # What the deployment may take ends before the task's own limit, as in production.
            task.timeout_seconds = timeout / 2
    task._pre_execute_hook = arrive


parsed_alone = get_parsing_context().dag_id
for dag_id, knobs in json.loads(os.environ["CHAOS_DAGS"]).items():
    if parsed_alone in (None, dag_id):
        globals()[dag_id] = build(dag_id, knobs)

if parsed_alone in (None, "reap_orphans") and (ROOT / "dags" / "reap_orphans.py").exists():
    source = ROOT / "dags" / "reap_orphans.py"
    spec = importlib.util.spec_from_file_location("reap_orphans_for_chaos", source)
    assert spec is not None
    assert spec.loader is not None
    reaper = importlib.util.module_from_spec(spec)
    # By hand only: a run of its own after each case.
    os.environ["AZURE_ML_REAP_SCHEDULE"] = ""
    spec.loader.exec_module(reaper)
    for value in list(vars(reaper).values()):
        if isinstance(value, DAG):
            value.max_active_runs = 100
            globals()["reap_orphans"] = value
