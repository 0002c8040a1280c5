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

from airflow.sdk import DAG, TaskGroup, chain, cross_downstream

from azure_ml import operators as az
from include.finetune import form, lifecycle, names, recipe, review, scoring, steps

# From the run and the connection's project alone: whoever cleans up finds it.
ENDPOINT = "{{ names.endpoint_name(dag.dag_id, run_id, task.project) }}"

# A line holds the arguments that belong together; the formatter would give each one its own.
# fmt: off
with DAG(
    "finetune_chat_completion", doc_md=__doc__, tags=["azure-ml", "fine-tuning"], params=form.params(),
    schedule=os.environ.get("AZURE_ML_FINETUNE_SCHEDULE") or None, catchup=False, max_active_runs=1,
    default_args=lifecycle.DEFAULT_ARGS, on_failure_callback=lifecycle.CLEAN_UP, deadline=lifecycle.DEADLINE,
    user_defined_macros={"names": names},
) as dag:
    with TaskGroup("check", prefix_group_id=False, tooltip="Nothing is created here") as check:
        connect = az.AzureMLCheckWorkspaceOperator(task_id="connect")
        model = az.AzureMLGetRegistryModelOperator(
            task_id="choose_model",
            model_name="{{ params.model_name }}", model_version="{{ params.model_version }}")
        validate_compute = az.AzureMLValidateComputeOperator(
            task_id="validate_compute", compute_name="{{ params.compute_cluster }}",
            vm_size="{{ params.compute_vm_size }}", allowed_vm_sizes=model.returned("fine_tune_vm_sizes"))
        check_data = steps.check_data(model.returned("name"), model.returned("version"))
        parameters = steps.resolve_parameters(model.returned("defaults"))
        check_endpoint = az.AzureMLCheckEndpointNameOperator(
            task_id="check_endpoint", endpoint_name=ENDPOINT,
            instance_type="{{ params.instance_type }}", allowed_instance_types=model.returned("inference_vm_sizes"))
        chain(connect, model, [validate_compute, check_data, parameters, check_endpoint])

    with TaskGroup("train", prefix_group_id=False) as train:
        compute = az.AzureMLGetOrCreateComputeOperator(
            task_id="prepare_compute", compute_name="{{ params.compute_cluster }}",
            vm_size="{{ params.compute_vm_size }}", allowed_vm_sizes=model.returned("fine_tune_vm_sizes"),
            min_instances="{{ params.compute_min_instances }}", max_instances="{{ params.compute_max_instances }}")
        data = az.AzureMLRegisterDataOperator(
            task_id="prepare_data", asset_name="{{ names.data_asset_name(params.dataset) }}",
            description="{{ params.split_pc }} % of {{ params.dataset }}", files=steps.returned(check_data, "files"))
        submit = az.AzureMLSubmitPipelineJobOperator(
            task_id="submit_job",
            job_name="{{ names.job_name(dag.dag_id, run_id, task.project, ti.task_id, ti.map_index) }}",
            component_name=recipe.COMPONENT, component_version=recipe.COMPONENT_VERSION,
            inputs=recipe.inputs(
                model=model.returned("id"), train=data.returned("train_id"), test=data.returned("test_id"),
                cluster=compute.returned("name"), gpus=compute.returned("gpus")),
            parameters=steps.returned(parameters, "parameters"), outputs={recipe.COMPONENT_OUTPUT: recipe.JOB_OUTPUT},
            experiment_name="{{ params.experiment_name or names.experiment_name(params.model_name) }}",
            # Of the job as it is sent: Airflow has rendered the task's inputs and parameters before its display name.
            display_name="{{ names.display_name(params.model_name, task.parameters,"
                         " task.inputs.number_of_gpu_to_use_finetuning) }}")
        # The operator has two budgets of its own; a timeout of the task would end the waiting and not the job.
        wait = az.AzureMLWaitForJobOperator(
            task_id="wait_for_job", job_name=submit.returned("job_name"), request=submit.returned("request"),
            queue_timeout="{{ params.queue_hours }}", run_timeout="{{ params.run_hours }}", execution_timeout=None,
            deferrable="{{ params.deferrable }}")
        metrics = az.AzureMLJobMetricsOperator(
            task_id="review_metrics", job_name=wait.returned("job_name"),
            experiment_name=submit.returned("experiment_name"), review=review.review)
        register = az.AzureMLRegisterModelOperator(
            task_id="register_model", job_name=wait.returned("job_name"), output_name=recipe.JOB_OUTPUT,
            model_name="{{ names.registered_model_name(params.model_name) }}",
            description="{{ params.model_name }}, fine-tuned on {{ params.split_pc }} % of {{ params.dataset }}",
            tags={"base_model": model.returned("id"), "data": data.returned("train_id"),
                  "dataset": "{{ params.dataset }}", "split_pc": "{{ params.split_pc }}"})
        chain([compute, data], submit, wait, metrics, register)

    with TaskGroup("serve", prefix_group_id=False) as serve:
        create = az.AzureMLCreateEndpointOperator(
            task_id="create_endpoint", endpoint_name=ENDPOINT, deferrable="{{ params.deferrable }}")
        deploy = az.AzureMLDeployModelOperator(
            task_id="deploy", endpoint_name=ENDPOINT, deployment_name=recipe.DEPLOYMENT,
            model_id=register.returned("id"), retry_policy=lifecycle.DEPLOYMENT_POLICY,
            instance_type="{{ params.instance_type }}", allowed_instance_types=model.returned("inference_vm_sizes"),
            deferrable="{{ params.deferrable }}")
        smoke_test = az.AzureMLInvokeEndpointOperator(
            task_id="smoke_test", endpoint_name=ENDPOINT, deployment_name=recipe.DEPLOYMENT,
            data_uri=data.returned("test_gen_uri"), op_kwargs={"seed": "{{ params.seed }}"},
            make_request=scoring.request, read_answer=scoring.read)
        chain(create, deploy, smoke_test)

    chain(check, train, serve)
    work = list(dag.tasks)

    # Teardowns without setups run however the others end; all that they need is derived from the run.
    with TaskGroup("clean_up", prefix_group_id=False):
        cancel = az.AzureMLCancelJobsOperator(task_id="cancel_job", created_by=["submit_job", "wait_for_job"])
        delete = az.AzureMLDeleteEndpointOperator(
            task_id="delete_endpoint", endpoint_name=ENDPOINT, created_by=["create_endpoint", "deploy"])
        teardowns = [cancel.as_teardown(), delete.as_teardown()]
        cross_downstream(work, teardowns)
        teardowns >> steps.verdict().as_teardown(on_failure_fail_dagrun=True)
