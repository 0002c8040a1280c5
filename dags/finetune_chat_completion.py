"""### Fine-tune a chat model on Azure ML, prove that it answers, leave nothing behind

Takes a base model from the registry, tunes it on a part of a data set of conversations, registers the result,
deploys it, asks it one question, and deletes the endpoint again.

* **Before anything is created** the choices are checked: model, VM sizes, data, parameters, endpoint's name.
* **Whatever happens**, `cancel_job` and `delete_endpoint` run; `verdict` then keeps a failed run red. A run that takes
  longer than `AZURE_ML_FINETUNE_DEADLINE_HOURS` (30) is cleaned up even if it is paused or was timed out.
* **What it costs:** the cluster's GPUs while the job runs, and one machine while the deployment is tested.
* **Needs** the connection `azure_ml_default`. A schedule comes from outside: the environment variable
  `AZURE_ML_FINETUNE_SCHEDULE` (cron expression or preset, such as `@weekly`) of the dag-processor.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, chain, cross_downstream, task
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert
from airflow.sdk.exceptions import AirflowFailException

from azure_ml import operators as az
from azure_ml.hook import AzureMLHook
from azure_ml.lifecycle.callbacks import clean_up, clean_up_run
from azure_ml.lifecycle.deadlines import RunMade
from include.finetune import form, names, parameters, recipe, review, scoring
from include.finetune import templates as t
from include.finetune.data import checking
from include.finetune.retries import DEPLOYMENT_POLICY, RETRIES

AFTER_FAILURE = clean_up(endpoint_name=names.endpoint_name)
DEADLINE = DeadlineAlert(
    name="clean_up",
    reference=RunMade(),
    interval=timedelta(hours=float(os.environ.get("AZURE_ML_FINETUNE_DEADLINE_HOURS") or 30)),
    callback=AsyncCallback(clean_up_run, {"endpoint_name": "include.finetune.names.endpoint_name"}),
)

with DAG(
    dag_id="finetune_chat_completion",
    doc_md=__doc__,
    schedule=os.environ.get("AZURE_ML_FINETUNE_SCHEDULE") or None,
    catchup=False,
    max_active_runs=1,
    params=form.params(),
    user_defined_macros={"names": names},
    default_args={**RETRIES, "on_failure_callback": AFTER_FAILURE},
    on_failure_callback=AFTER_FAILURE,
    deadline=DEADLINE,
    tags=["azure-ml", "fine-tuning"],
) as dag:
    connect = az.AzureMLCheckWorkspaceOperator(task_id="connect")
    model = az.AzureMLGetRegistryModelOperator(task_id="choose_model", **t.MODEL)
    cluster: Any = {**t.CLUSTER, "allowed_vm_sizes": model.returned("fine_tune_vm_sizes")}
    server: Any = {**t.SERVER, "allowed_instance_types": model.returned("inference_vm_sizes")}

    # Four looks; only when all are content is anything created.
    check_compute = az.AzureMLCheckComputeOperator(task_id="check_compute", **cluster)
    reserve = az.AzureMLReserveEndpointOperator(
        task_id="reserve_endpoint", endpoint_name=t.ENDPOINT, **server
    )

    @task
    def check_data(base_model: Any, params: Any = None) -> dict[str, Any]:
        """Read and check every row that the run will use; keep them in the workspace, registered by nobody yet."""
        return checking.check_params(params, AzureMLHook(), base_model)

    @task(multiple_outputs=True)
    def resolve_parameters(defaults: Any, params: Any = None) -> dict[str, Any]:
        """The recipe's parameters, overridden by the model's, overridden by the user's."""
        component = AzureMLHook().registry.component(recipe.COMPONENT, recipe.COMPONENT_VERSION)
        return parameters.for_component(component, defaults, form.asked_for(params))

    resolved: Any = resolve_parameters(model.returned("defaults"))
    checked: Any = check_data({"name": model.returned("name"), "version": model.returned("version")})
    looks: Any = [check_compute, checked, resolved, reserve]

    compute = az.AzureMLGetOrCreateComputeOperator(task_id="validate_compute", **cluster, **t.CLUSTER_SIZE)
    data = az.AzureMLRegisterDataOperator(task_id="prepare_data", files=checked["files"], **t.DATA_ASSETS)
    submit = az.AzureMLSubmitPipelineJobOperator(
        task_id="submit_job",
        component_name=recipe.COMPONENT,
        component_version=recipe.COMPONENT_VERSION,
        inputs=recipe.inputs(
            model=model.returned("id"),
            train=data.returned("train_id"),
            test=data.returned("test_id"),
            cluster=compute.returned("name"),
            gpus=compute.returned("gpus"),
        ),
        parameters=resolved["parameters"],
        outputs={recipe.COMPONENT_OUTPUT: recipe.JOB_OUTPUT},
        **t.SUBMISSION,
    )
    # The operator has two budgets of its own; a timeout of the task would end the waiting and not the job.
    wait = az.AzureMLWaitForJobOperator(
        task_id="wait_for_job",
        job_name=submit.returned("job_name"),
        request=submit.returned("request"),
        execution_timeout=None,
        **t.WAITING,
    )
    job: Any = {"job_name": wait.returned("job_name")}
    experiment = submit.returned("experiment_name")
    metrics = az.AzureMLJobMetricsOperator(
        task_id="review_metrics", experiment_name=experiment, review=review.review, **job
    )
    lineage = {"base_model": model.returned("id"), "data": data.returned("train_id"), **t.DATA}
    register = az.AzureMLRegisterModelOperator(
        task_id="register_model", output_name=recipe.JOB_OUTPUT, tags=lineage, **job, **t.TUNED_MODEL
    )
    create = az.AzureMLCreateEndpointOperator(
        task_id="create_endpoint", endpoint_name=t.ENDPOINT, deferrable="{{ params.deferrable }}"
    )
    target: Any = {"endpoint_name": t.ENDPOINT, "deployment_name": recipe.DEPLOYMENT}
    deploy = az.AzureMLDeployModelOperator(
        task_id="deploy",
        model_id=register.returned("id"),
        deferrable="{{ params.deferrable }}",
        retry_policy=DEPLOYMENT_POLICY,
        **target,
        **server,
    )
    smoke_test = az.AzureMLScoreEndpointOperator(
        task_id="smoke_test",
        data_uri=data.returned("test_gen_uri"),
        make_request=scoring.request,
        read_answer=scoring.read,
        op_kwargs={"seed": "{{ params.seed }}"},
        **target,
    )
    chain(connect, model, looks)
    cross_downstream(looks, [compute, data])
    chain([compute, data], submit, wait, metrics, register, create, deploy, smoke_test)
    work = list(dag.tasks)

    # Teardowns without setups run however the others end; all that they need is derived from the run.
    cancel = az.AzureMLCancelJobsOperator(task_id="cancel_job", created_by=["submit_job", "wait_for_job"])
    delete = az.AzureMLDeleteEndpointOperator(
        task_id="delete_endpoint", endpoint_name=t.ENDPOINT, created_by=["create_endpoint", "deploy"]
    )
    teardowns = [cancel.as_teardown(), delete.as_teardown()]

    @task(retries=0)
    def verdict(ti: Any = None) -> None:
        """Fail if any task has failed: a run that somebody has marked failed would else end green."""
        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id])[ti.run_id]
        if bad := sorted(name for name, state in states.items() if state in ("failed", "upstream_failed")):
            raise AirflowFailException(f"The run has failed at {', '.join(bad)}: look at the first's log.")

    cross_downstream(work, teardowns)
    teardowns >> verdict().as_teardown(on_failure_fail_dagrun=True)
