"""Bodies of the containers and versions of all assets."""

from __future__ import annotations

from azureml_local.arm.schemas import Common, Object, Objects, Required, Resource


class VersionProperties(Common):
    """Properties of a version of any asset."""

    is_anonymous: bool | None = None
    data_uri: str | None = None
    data_type: str | None = None
    model_uri: str | None = None
    model_type: str | None = None
    job_name: str | None = None
    flavors: Objects = None
    image: str | None = None
    conda_file: str | None = None
    build: Object = None
    component_spec: Object = None
    code_uri: str | None = None


class Version(Resource):
    """A version, or a container, of an asset."""

    properties: Required[VersionProperties]
