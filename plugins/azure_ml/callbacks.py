"""Cleaning up at once when a task or a Dag run fails, from whichever process runs the callback.

For a failed run this is the dag-processor, which is killed after 50 seconds and must not push XCom: so the
names come from the run alone, each call is asked for and not waited for, and calling twice does no harm.
The teardown remains the one that waits and verifies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azure_ml.errors import AzureMLError
from azure_ml.hook import AzureMLHook
from azure_ml.operators.base import owner_tags, run_of

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

Namer = Callable[[str, str], str]


def clean_up(
    *,
    job_name: Namer | None = None,
    endpoint_name: Namer | None = None,
    azure_ml_conn_id: str = AzureMLHook.default_conn_name,
) -> Callable[[Context], None]:
    """An ``on_failure_callback`` for tasks and for the Dag.

    Args:
        job_name: whether the run has jobs; all that carry its tags are canceled.
        endpoint_name: the run's endpoint from ``(dag_id, run_id)``; it is deleted if the run has made it.
        azure_ml_conn_id: Airflow connection of type ``azure_ml``.
    """

    def on_failure(context: Context) -> None:
        dag_id, run_id = run_of(context)
        hook = AzureMLHook(azure_ml_conn_id)
        if job_name:
            tags = owner_tags(dag_id, run_id)
            _attempt(f"cancel the run's jobs {tags}", lambda: hook.jobs.cancel_owned(tags))
        if endpoint_name:
            endpoint = endpoint_name(dag_id, run_id)
            owner = owner_tags(dag_id, run_id)
            _attempt(f"delete the endpoint {endpoint}", lambda: hook.endpoints.begin_delete(endpoint, owner))

    return on_failure


def _attempt(action: str, call: Callable[[], Any]) -> None:
    """One step of the clean-up; a failure is logged, and must not keep the next step from being tried."""
    try:
        log.info("After a failure: %s: %s", action, call())
    except AzureMLError as error:
        log.warning("After a failure: could not %s: %s", action, error)
