"""### Delete what no run owns any more

Lists the workspace's endpoints, deployments and jobs that runs of this Airflow have made, asks Airflow whether these
runs are alive, and deletes what belongs to a run that has ended, or that Airflow does not know once the lease is over.

* **Never touched:** what lacks this Airflow's tags, and whatever belongs to a run that is queued or running.
* **By hand:** trigger it with `dry_run` to see what it would delete.
* **Its report** is the result of the task, and a table in its log.
* **A schedule** other than every 15 minutes comes from outside: the environment variable `AZURE_ML_REAP_SCHEDULE`
  (cron expression or preset; empty for none) of the dag-processor.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG, Param

from azure_ml import operators as az
from azure_ml.hook import AzureMLHook

with DAG(
    dag_id="reap_orphans",
    doc_md=__doc__,
    schedule=os.environ.get("AZURE_ML_REAP_SCHEDULE", "*/15 * * * *") or None,
    catchup=False,
    max_active_runs=1,
    # A safety net that somebody must switch on first catches nothing.
    is_paused_upon_creation=False,
    params={
        "dry_run": Param(False, type="boolean", title="Dry run", description="Only report, delete nothing."),
        "azure_ml_conn_id": Param(
            AzureMLHook.default_conn_name,
            type="string",
            pattern=r"^[\w.-]{1,250}$",
            title="Connection",
            description="Airflow connection of type azure_ml; its project says what is ours.",
        ),
    },
    tags=["azure-ml", "clean-up"],
) as dag:
    az.AzureMLReapOperator(
        task_id="reap",
        azure_ml_conn_id="{{ params.azure_ml_conn_id }}",
        report_only="{{ params.dry_run }}",
        retries=1,
        retry_delay=timedelta(minutes=1),
        execution_timeout=timedelta(hours=1),
    )
