"""What Airflow fills in when a task starts: templates over a run's parameters, and over its own id."""

from __future__ import annotations

from typing import Any, Final

ENDPOINT: Final = "{{ names.endpoint_name(dag.dag_id, run_id) }}"
"""From the run alone, so that whoever cleans up finds it."""

MODEL: Final = {"model_name": "{{ params.model_name }}", "model_version": "{{ params.model_version }}"}
CLUSTER: Final = {"compute_name": "{{ params.compute_cluster }}", "vm_size": "{{ params.compute_vm_size }}"}
CLUSTER_SIZE: Final[dict[str, Any]] = {
    "min_instances": "{{ params.compute_min_instances }}",
    "max_instances": "{{ params.compute_max_instances }}",
}
SERVER: Final = {"instance_type": "{{ params.instance_type }}"}

DATA: Final = {"dataset": "{{ params.dataset }}", "split_pc": "{{ params.split_pc }}"}
DATA_ASSETS: Final = {
    "asset_name": "{{ names.data_asset_name(params.dataset) }}",
    "description": "{{ params.split_pc }} % of {{ params.dataset }}",
}

SUBMISSION: Final[dict[str, Any]] = {
    "job_name": "{{ names.job_name(dag.dag_id, run_id, ti.task_id, ti.map_index) }}",
    "experiment_name": "{{ params.experiment_name or names.experiment_name(params.model_name) }}",
    "display_name": "{{ names.display_name(params.model_name,"
    " ti.xcom_pull('resolve_parameters')['parameters'], ti.xcom_pull('prepare_compute')['gpus']) }}",
}
WAITING: Final[dict[str, Any]] = {
    "deferrable": "{{ params.deferrable }}",
    "queue_timeout": "{{ params.queue_hours }}",
    "run_timeout": "{{ params.run_hours }}",
}
TUNED_MODEL: Final = {
    "model_name": "{{ names.registered_model_name(params.model_name) }}",
    "description": "{{ params.model_name }}, fine-tuned on {{ params.split_pc }} % of {{ params.dataset }}",
}
