"""### Fine-tune a chat model on Azure ML, prove that it answers, leave nothing behind

Takes a base model from the registry, tunes it on a part of a data set of conversations, registers the result,
deploys it, asks it one question, and deletes the endpoint again.

* **Before anything is created** the choices are checked: model, VM sizes, data, parameters, endpoint's name.
* **Whatever happens**, `delete_endpoint` runs; `verdict` then keeps a failed run red.
* **What it costs:** the cluster's GPUs while the job runs, and one machine while the deployment is tested.
* **Needs** the connection `azure_ml_default`. A schedule comes from outside: the environment variable
  `AZURE_ML_FINETUNE_SCHEDULE` (cron expression or preset, such as `@weekly`) of the dag-processor.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, ExceptionRetryPolicy, RetryAction, RetryRule, task
from airflow.sdk.exceptions import AirflowFailException

from azure_ml import operators as az
from azure_ml.callbacks import clean_up
from azure_ml.hook import AzureMLHook
from include.finetune import dataset, form, names, parameters, recipe, review, scoring
from include.finetune.errors import InputError

ENDPOINT = "{{ names.endpoint_name(dag.dag_id, run_id) }}"
DATA = {"dataset": "{{ params.dataset }}", "split_pc": "{{ params.split_pc }}"}
CLUSTER: Any = {"compute_name": "{{ params.compute_cluster }}", "vm_size": "{{ params.compute_vm_size }}"}
SERVER: Any = {"instance_type": "{{ params.instance_type }}"}
SUBMISSION = {
    "job_name": "{{ names.job_name(dag.dag_id, run_id) }}",
    "experiment_name": "{{ params.experiment_name or names.experiment_name(params.model_name) }}",
    "display_name": "{{ names.display_name(params.model_name,"
    " ti.xcom_pull('resolve_parameters')['parameters'], ti.xcom_pull('validate_compute')['gpus']) }}",
}
AFTER_FAILURE = clean_up(job_name=names.job_name, endpoint_name=names.endpoint_name)
DEFAULTS = {
    "retries": 2,
    "retry_delay": timedelta(seconds=10),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": ExceptionRetryPolicy([RetryRule(InputError, RetryAction.FAIL, reason="wrong input")]),
    "execution_timeout": timedelta(hours=2),
    "on_failure_callback": AFTER_FAILURE,
}

with DAG(
    dag_id="finetune_chat_completion",
    doc_md=__doc__,
    schedule=os.environ.get("AZURE_ML_FINETUNE_SCHEDULE") or None,
    catchup=False,
    max_active_runs=1,
    params=form.params(),
    user_defined_macros={"names": names},
    default_args=DEFAULTS,
    on_failure_callback=AFTER_FAILURE,
    tags=["azure-ml", "fine-tuning"],
):
    connect = az.AzureMLCheckWorkspaceOperator(task_id="connect")
    model = az.AzureMLGetRegistryModelOperator(
        task_id="choose_model",
        model_name="{{ params.model_name }}",
        model_version="{{ params.model_version }}",
    )

    # Four looks; only when all are content is anything created.
    CLUSTER["allowed_vm_sizes"] = model.returned("fine_tune_vm_sizes")
    SERVER["allowed_instance_types"] = model.returned("inference_vm_sizes")
    check_compute = az.AzureMLCheckComputeOperator(task_id="check_compute", **CLUSTER)
    reserve = az.AzureMLReserveEndpointOperator(task_id="reserve_endpoint", endpoint_name=ENDPOINT, **SERVER)

    @task
    def check_data(params: Any = None) -> dict[str, Any]:
        """Read every row that would be used."""
        return dataset.check(params["dataset"], params["split_pc"])

    @task(multiple_outputs=True)
    def resolve_parameters(defaults: Any, params: Any = None) -> dict[str, Any]:
        """The recipe's parameters, overridden by the model's, overridden by the user's."""
        component = AzureMLHook().registry.component(recipe.COMPONENT, recipe.COMPONENT_VERSION)
        return parameters.for_component(component, defaults, form.asked_for(params))

    compute = az.AzureMLGetOrCreateComputeOperator(
        task_id="validate_compute",
        min_instances="{{ params.compute_min_instances }}",
        max_instances="{{ params.compute_max_instances }}",
        **CLUSTER,
    )
    data = az.AzureMLPrepareDataOperator(
        task_id="prepare_data",
        prepare=dataset.prepare,
        op_kwargs=DATA,
        asset_name="{{ names.data_asset_name(params.dataset) }}",
        description="{{ params.split_pc }} % of {{ params.dataset }}",
    )
    resolved: Any = resolve_parameters(model.returned("defaults"))
    submit = az.AzureMLSubmitPipelineJobOperator(
        task_id="submit_job",
        component_name=recipe.COMPONENT,
        component_version=recipe.COMPONENT_VERSION,
        inputs={
            "mlflow_model_path": model.returned("id"),
            "train_file_path": data.returned("train_id"),
            "test_file_path": data.returned("test_id"),
            "number_of_gpu_to_use_finetuning": compute.returned("gpus"),
            **dict.fromkeys(recipe.COMPUTE_INPUTS, compute.returned("name")),
        },
        parameters=resolved["parameters"],
        outputs={recipe.COMPONENT_OUTPUT: recipe.JOB_OUTPUT},
        **SUBMISSION,
    )
    wait = az.AzureMLWaitForJobOperator(
        task_id="wait_for_job",
        job_name=submit.returned("job_name"),
        deferrable="{{ params.deferrable }}",
        timeout=timedelta(hours=24),
        execution_timeout=timedelta(hours=24),
    )
    job = wait.returned("job_name")
    metrics = az.AzureMLJobMetricsOperator(
        task_id="review_metrics",
        job_name=job,
        experiment_name=submit.returned("experiment_name"),
        review=review.review,
    )
    register = az.AzureMLRegisterModelOperator(
        task_id="register_model",
        job_name=job,
        output_name=recipe.JOB_OUTPUT,
        model_name="{{ names.registered_model_name(params.model_name) }}",
        description="{{ params.model_name }}, fine-tuned on {{ params.split_pc }} % of {{ params.dataset }}",
        tags={
            "base_model": model.returned("id"),
            "data": data.returned("train_id"),
            "dataset": DATA["dataset"],
        },
    )
    create = az.AzureMLCreateEndpointOperator(
        task_id="create_endpoint", endpoint_name=ENDPOINT, description="Smoke test of a fine-tuned model"
    )
    # Not tried again: each try is paid for, and ends for the same reason.
    deploy = az.AzureMLDeployModelOperator(
        task_id="deploy",
        endpoint_name=ENDPOINT,
        deployment_name=recipe.DEPLOYMENT,
        model_id=register.returned("id"),
        retries=0,
        **SERVER,
    )
    smoke_test = az.AzureMLScoreEndpointOperator(
        task_id="smoke_test",
        endpoint_name=ENDPOINT,
        deployment_name=recipe.DEPLOYMENT,
        data_uri=data.returned("test_gen_uri"),
        make_request=scoring.request,
        read_answer=scoring.read,
        op_kwargs={"seed": "{{ params.seed }}"},
    )
    # A teardown without setups runs however the others end; all that it needs is derived from the run.
    delete = az.AzureMLDeleteEndpointOperator(
        task_id="delete_endpoint", endpoint_name=ENDPOINT, created_by="create_endpoint"
    ).as_teardown()

    @task(retries=0)
    def verdict(ti: Any = None) -> None:
        """Fail if any task has failed: a run that somebody has marked failed would else end green."""
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id])[ti.run_id]
        if bad := sorted(name for name, state in states.items() if state in ("failed", "upstream_failed")):
            raise AirflowFailException(f"The run has failed at {', '.join(bad)}: look at the first's log.")

    looks: list[Any] = [check_compute, check_data(), resolved, reserve]
    connect >> model >> looks
    for look in looks:
        look >> [compute, data]
    [compute, data] >> submit >> wait >> metrics >> register >> create >> deploy >> smoke_test
    done = [
        connect,
        model,
        *looks,
        compute,
        data,
        submit,
        wait,
        metrics,
        register,
        create,
        deploy,
        smoke_test,
    ]
    done >> delete >> verdict().as_teardown(on_failure_fail_dagrun=True)
