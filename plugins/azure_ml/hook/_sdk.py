"""The few private corners of azure-ai-ml 1.35.2 that we need, all in one place.

Each is here because the public surface hides what the service answers: the ``Model`` entity drops
``isArchived`` and ``systemMetadata``; ``jobs.list(parent_job_name=...)`` drops run types, times and errors;
``jobs.list`` has no filter by tag; there is no public download of a data asset, nor an upload of a file that
is no asset; pollers hide the id of their operation; and the cloud's addresses are not public at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure_ml.hook._http import RetryingClient

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml._restclient.runhistory.models import Run, RunDetails
    from azure.ai.ml._restclient.v2024_01_01_preview.models import JobBase
    from azure.core.polling import LROPoller

NO_OPERATION = "-"


def arm_endpoint() -> str:
    """Base URL of the cloud's resource manager, without a final slash."""
    from azure.ai.ml._azure_environments import _get_base_url_from_metadata

    return str(_get_base_url_from_metadata())


def login_endpoint() -> str:
    """Base URL of the cloud's login service."""
    from azure.ai.ml._azure_environments import _get_active_directory_url_from_metadata

    return str(_get_active_directory_url_from_metadata())


def studio_endpoint(client: MLClient) -> str:
    """Base URL of the workspace's Studio, from the workspace's own list of addresses."""
    return str(client.jobs._get_workspace_url("studio")).rstrip("/")


def raw_model_version(client: MLClient, name: str, version: str) -> dict[str, object]:
    """A model version as the service answers it, ``{"id": ..., "properties": {...}}``."""
    return dict(client.models._get(name, version).as_dict())


def child_runs(client: MLClient, run: str) -> Iterator[Run]:
    """The run-history records of a run's direct children."""
    jobs = client.jobs
    yield from jobs._runs_operations._operation.get_child(
        jobs._subscription_id, jobs._resource_group_name, jobs._workspace_name, run
    )


def run_record(client: MLClient, run: str) -> Run:
    """The run-history record of a run: its times, state and error."""
    return client.jobs._runs_operations.get_run(run)


def run_details(client: MLClient, run: str) -> RunDetails:
    """The run-history details of a run: state, error, and a signed URL for each log file."""
    return client.jobs._runs_operations.get_run_details(run)


def tagged_jobs(client: MLClient, tag: str) -> Iterator[JobBase]:
    """The jobs, archived ones too, that have a tag of that name, as the service answers them."""
    jobs = client.jobs
    yield from jobs.service_client_01_2024_preview_arm.jobs.list(
        jobs._operation_scope.resource_group_name, jobs._workspace_name, tag=tag, list_view_type="All"
    )


def download_uri(client: MLClient, uri: str, folder: Path) -> None:
    """Download all below an ``azureml://.../datastores/.../paths/...`` URI into a folder."""
    from azure.ai.ml._artifacts._artifact_utilities import download_artifact_from_aml_uri

    download_artifact_from_aml_uri(uri, str(folder), client.datastores)


def upload_text(client: MLClient, path: str, content: str) -> str:
    """Write a text file into the workspace's default datastore; returns the datastore's name."""
    store, container = default_container(client)
    container.upload_blob(path, content.encode(), overwrite=True)
    return store


def default_container(client: Any) -> tuple[str, Any]:
    """Name of the workspace's default datastore, and the ``ContainerClient`` behind it."""
    from azure.ai.ml._artifacts._artifact_utilities import get_datastore_info
    from azure.ai.ml._utils._storage_utils import get_storage_client

    store = str(client.datastores.get_default().name)
    return store, get_storage_client(**get_datastore_info(client.datastores, store)).container_client


def registry_model_container(client: Any, name: str, version: str) -> tuple[Any, str]:
    """The ``ContainerClient`` that holds a registry model's files, and the path below which they are."""
    from azure.ai.ml._utils._registry_utils import get_storage_details_for_registry_assets
    from azure.ai.ml._utils._storage_utils import get_ds_name_and_path_prefix, get_storage_client

    models = client.models
    uri = models.get(name=name, version=version).path
    _, folder = get_ds_name_and_path_prefix(uri, models._registry_name)
    address, _ = get_storage_details_for_registry_assets(
        service_client=models._registry_service_client,
        asset_name=name,
        asset_version=version,
        reg_name=models._registry_name,
        asset_type="models",
        rg_name=models._resource_group_name,
        uri=uri,
    )
    return get_storage_client(
        credential=None, storage_account=None, account_url=address
    ).container_client, folder


def operation_of(poller: LROPoller[object]) -> str:
    """Path of the operation behind a poller, without its host; ``-`` if the service gave no address."""
    method: Any = poller.polling_method()
    response = method._initial_response.http_response
    url = urlsplit(response.headers.get("Azure-AsyncOperation") or "")
    return f"{url.path}?{url.query}" if url.path.startswith("/subscriptions/") else NO_OPERATION


def operation_error(token: str, operation: str) -> Mapping[str, str] | None:
    """The ``error`` of a long operation, ``{"code": ..., "message": ...}``."""
    if not operation.startswith("/subscriptions/"):
        return None
    with RetryingClient(headers={"Authorization": f"Bearer {token}"}) as http:
        answer = http.get(arm_endpoint().rstrip("/") + operation)
    error: Mapping[str, str] | None = answer.json().get("error") if answer.is_success else None
    return error
