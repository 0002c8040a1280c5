"""Cleans up at once when a task or a Dag run fails, or takes too long, in whichever process this is.

For a failed task that is the worker; for a failed run, or a lost worker, the dag-processor, which is killed
after 50 seconds and must not push XCom; for a deadline the triggerer. So the names come from the run and
the connection's project alone, calling twice does no harm, and no step waits for another. The teardown remains the
one that verifies.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from airflow.sdk._shared.module_loading import import_string

from azure_ml.errors import AzureMLError, BadInput, Killed
from azure_ml.hook import AzureMLHook
from azure_ml.lifecycle.interruption import was_cleared
from azure_ml.lifecycle.tags import owner_tags, run_of

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

# From the Dag's id, the run's id and the connection's project.
Namer = Callable[[str, str, str], str]
# The dag-processor is killed after 50 seconds, its imports among them.
AT_ONCE_SECONDS: Final = 35.0
# A deadline's callback may wait until a creation under way can be deleted.
DEADLINE_SECONDS: Final = 1800.0


def clean_up(
    *, endpoint_name: Namer | None = None, azure_ml_conn_id: str = AzureMLHook.default_conn_name
) -> Callable[[Context], None]:
    """An ``on_failure_callback`` for tasks and for the Dag: cancel the run's jobs, delete its endpoints.

    It finds both by their tags, and the endpoint also by its name: a new one is in no list.
    """

    def on_failure(context: Context) -> None:
        if isinstance(context.get("exception"), Killed) and was_cleared(context["ti"]):
            log.info("The task was cleared: what it has made is left to its next try.")
            return
        dag_id, run_id = run_of(context)
        try:
            hook = AzureMLHook(azure_ml_conn_id)
            # Read here: threads must not ask Airflow for a connection.
            project = hook.settings.project
            owner = owner_tags(dag_id, run_id, project)
            endpoint = endpoint_name(dag_id, run_id, project) if endpoint_name else None
            steps = _steps(hook, owner, endpoint, lambda name: hook.endpoints.begin_delete(name, owner))
        except AzureMLError as error:
            log.warning("After a failure: could not clean up: %s", error)
            return
        _side_by_side(steps, AT_ONCE_SECONDS)

    return on_failure


async def clean_up_run(
    azure_ml_conn_id: str = AzureMLHook.default_conn_name,
    endpoint_name: str = "",
    context: Mapping[str, Mapping[str, object]] | None = None,
) -> str:
    """The same clean-up as the callback of a ``DeadlineAlert``, in the triggerer; waits until all is gone.

    ``context`` is Airflow's ``{"dag_run": {"dag_id", "dag_run_id", ...}, "deadline": {...}}``. Returns what was done.
    """
    run = (context or {}).get("dag_run") or {}
    dag_id, run_id = str(run.get("dag_id") or ""), str(run.get("dag_run_id") or run.get("run_id") or "")
    if not dag_id or not run_id:
        raise BadInput(f"The deadline's context {context!r} names no Dag run: nothing can be cleaned up.")
    hook = await AzureMLHook.for_triggerer(azure_ml_conn_id)
    owner = owner_tags(dag_id, run_id, hook.settings.project)
    endpoint = _named(endpoint_name, dag_id, run_id, hook.settings.project)
    steps = _steps(hook, owner, endpoint, lambda name: hook.endpoints.delete(name, owner, DEADLINE_SECONDS))
    done = await asyncio.gather(*(asyncio.to_thread(_attempt, *step) for step in steps.items()))
    return f"{dag_id}, {run_id}, past its deadline: {'; '.join(done)}"


def _named(path: str, dag_id: str, run_id: str, project: str) -> str | None:
    if not path:
        return None
    try:
        return str(import_string(path)(dag_id, run_id, project))
    except ImportError as error:
        log.warning("%s cannot be imported here (%s): the endpoint is looked for by its tags.", path, error)
        return None


def _steps(
    hook: AzureMLHook, owner: dict[str, str], endpoint: str | None, delete: Callable[[str], str]
) -> dict[str, Callable[[], object]]:
    return {
        "cancel the jobs": lambda: hook.jobs.cancel_owned(owner),
        "delete the endpoints": lambda: {name: delete(name) for name in _endpoints(hook, owner, endpoint)},
    }


def _endpoints(hook: AzureMLHook, owner: dict[str, str], endpoint: str | None) -> list[str]:
    named = {endpoint} if endpoint else set()
    try:
        return sorted(named | {one.name for one in hook.endpoints.list() if one.belongs_to(owner)})
    except AzureMLError as error:
        log.warning("Clean-up: could not list the endpoints: %s", error)
        return sorted(named)


def _side_by_side(steps: Mapping[str, Callable[[], object]], seconds: float) -> None:
    """Take all steps at once; one that takes longer goes on alone."""
    # What a step could not finish is left to the reaper.
    threads = {
        action: threading.Thread(target=_attempt, args=(action, step), daemon=True)
        for action, step in steps.items()
    }
    for thread in threads.values():
        thread.start()
    end = time.monotonic() + seconds
    for action, thread in threads.items():
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            log.warning("After a failure: %s: no answer within %.0f s.", action, seconds)


def _attempt(action: str, call: Callable[[], object]) -> str:
    """Take one step of the clean-up; log its failure, which must not prevent the next step."""
    try:
        outcome = f"{action}: {call() or 'there is none'}"
        log.info("Clean-up: %s", outcome)
    except AzureMLError as error:
        outcome = f"could not {action}: {error}"
        log.warning("Clean-up: %s", outcome)
    return outcome
