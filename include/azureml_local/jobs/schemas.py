"""Bodies of jobs."""

from __future__ import annotations

from azureml_local.arm.schemas import Common, Object, Objects, Required, Resource, Strict, Words


class JobResources(Strict):
    """Nodes of a command job."""

    instance_count: int | None = None
    instance_type: str | None = None
    shm_size: str | None = None
    docker_args: str | None = None
    properties: Object = None


class JobProperties(Common):
    """Properties of a job."""

    job_type: str | None = None
    display_name: str | None = None
    experiment_name: str | None = None
    compute_id: str | None = None
    component_id: str | None = None
    code_id: str | None = None
    environment_id: str | None = None
    command: str | None = None
    environment_variables: Words = None
    inputs: Objects = None
    outputs: Objects = None
    jobs: Objects = None
    settings: Object = None
    services: Objects = None
    identity: Object = None
    limits: Object = None
    distribution: Object = None
    resources: JobResources | None = None


class Job(Resource):
    """A job."""

    properties: Required[JobProperties]
