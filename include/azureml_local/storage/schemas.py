"""Bodies of datastores."""

from __future__ import annotations

from azureml_local.arm.schemas import Object, Required, Resource, Strict, Words


class DatastoreProperties(Strict):
    """Properties of a datastore."""

    description: str | None = None
    tags: Words = None
    properties: Words = None
    datastore_type: str | None = None
    account_name: str | None = None
    container_name: str | None = None
    endpoint: str | None = None
    protocol: str | None = None
    credentials: Object = None


class Datastore(Resource):
    """A datastore."""

    properties: Required[DatastoreProperties]
