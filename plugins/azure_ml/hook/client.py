"""The hook itself: a connection, the SDK's two clients, and a group of calls for each noun."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import amask_secret, mask_secret

from azure_ml.errors import AzureMLError, BadConnection
from azure_ml.hook import credentials
from azure_ml.hook._quiet import quieten
from azure_ml.hook._translate import translated
from azure_ml.hook.settings import Settings
from azure_ml.provider import CONN_TYPE

if TYPE_CHECKING:
    from azure_ml.hook.compute import Computes
    from azure_ml.hook.data import DataAssets
    from azure_ml.hook.files import WorkspaceFiles
    from azure_ml.hook.jobs.calls import Jobs
    from azure_ml.hook.jobs.logs import JobLogs
    from azure_ml.hook.jobs.metrics import Metrics
    from azure_ml.hook.models import Models
    from azure_ml.hook.online.deployments import Deployments
    from azure_ml.hook.online.endpoints import Endpoints
    from azure_ml.hook.registry import Registry


class AzureMLHook(BaseHook):
    """Talks to one Azure ML workspace and one registry.

    All calls raise errors of :mod:`azure_ml.errors`, never the SDK's, and return plain data, never the SDK's
    objects.

    Args:
        azure_ml_conn_id: Airflow connection of type ``azure_ml``.

    Example::

        hook = AzureMLHook()
        cluster = hook.compute.get("gpu-cluster-big")
    """

    conn_name_attr: ClassVar[str] = "azure_ml_conn_id"
    default_conn_name: ClassVar[str] = "azure_ml_default"
    conn_type: ClassVar[str] = CONN_TYPE
    hook_name: ClassVar[str] = "Azure Machine Learning"

    def __init__(self, azure_ml_conn_id: str = default_conn_name) -> None:
        super().__init__()
        quieten()
        self.azure_ml_conn_id = azure_ml_conn_id

    @cached_property
    def settings(self) -> Settings:
        """The connection, checked; raises :class:`~azure_ml.errors.BadConnection`."""
        try:
            found = Settings.from_connection(self.get_connection(self.azure_ml_conn_id))
        except AirflowNotFoundException:
            raise self._no_connection() from None
        if found.client_secret:
            mask_secret(found.client_secret)
        return found

    @classmethod
    async def for_triggerer(cls, azure_ml_conn_id: str) -> Self:
        """A hook with its connection read: in the triggerer only the event loop may ask for one."""
        hook = cls(azure_ml_conn_id)
        try:
            connection = await cls.aget_connection(azure_ml_conn_id)
        except AirflowNotFoundException:
            raise hook._no_connection() from None
        found = Settings.from_connection(connection)
        if found.client_secret:
            await amask_secret(found.client_secret)
        hook.__dict__["settings"] = found
        return hook

    def _no_connection(self) -> BadConnection:
        return BadConnection(
            f"Airflow has no connection {self.azure_ml_conn_id!r}: add one of type 'azure_ml' "
            "that names subscription, resource group and workspace."
        )

    @cached_property
    def credential(self) -> Any:
        """The credential of azure-identity that the connection asks for."""
        with translated("log in to Azure"):
            return credentials.build(self.settings)

    def renew(self) -> None:
        """Log in anew at the next call: what the service has revoked is no longer in any cache."""
        for name in ("credential", "workspace_client", "registry_client"):
            self.__dict__.pop(name, None)

    @cached_property
    def workspace_client(self) -> Any:
        """``azure.ai.ml.MLClient`` of the workspace."""
        place = self.settings
        with translated(f"reach the workspace {place.workspace_name!r}"):
            from azure.ai.ml import MLClient

            return MLClient(
                self.credential,
                place.subscription_id,
                place.resource_group,
                place.workspace_name,
                show_progress=False,
                enable_telemetry=False,
            )

    @cached_property
    def registry_client(self) -> Any:
        """``azure.ai.ml.MLClient`` of the registry."""
        name = self.settings.registry_name
        with translated(f"reach the registry {name!r}"):
            from azure.ai.ml import MLClient

            return MLClient(self.credential, registry_name=name, show_progress=False, enable_telemetry=False)

    @cached_property
    def compute(self) -> Computes:
        """Clusters and VM sizes."""
        from azure_ml.hook.compute import Computes

        return Computes(self)

    @cached_property
    def data(self) -> DataAssets:
        """Data assets of the workspace."""
        from azure_ml.hook.data import DataAssets

        return DataAssets(self)

    @cached_property
    def files(self) -> WorkspaceFiles:
        """Files in the workspace's default datastore."""
        from azure_ml.hook.files import WorkspaceFiles

        return WorkspaceFiles(self)

    @cached_property
    def registry(self) -> Registry:
        """Base models and components of the registry."""
        from azure_ml.hook.registry import Registry

        return Registry(self)

    @cached_property
    def models(self) -> Models:
        """Models of the workspace."""
        from azure_ml.hook.models import Models

        return Models(self)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs of the workspace."""
        from azure_ml.hook.jobs.calls import Jobs

        return Jobs(self)

    @cached_property
    def logs(self) -> JobLogs:
        """Logs of jobs and of their steps."""
        from azure_ml.hook.jobs.logs import JobLogs

        return JobLogs(self)

    @cached_property
    def metrics(self) -> Metrics:
        """Metrics of jobs and of their steps."""
        from azure_ml.hook.jobs.metrics import Metrics

        return Metrics(self)

    @cached_property
    def endpoints(self) -> Endpoints:
        """Online endpoints."""
        from azure_ml.hook.online.endpoints import Endpoints

        return Endpoints(self)

    @cached_property
    def deployments(self) -> Deployments:
        """What serves behind online endpoints."""
        from azure_ml.hook.online.deployments import Deployments

        return Deployments(self)

    def workspace(self) -> dict[str, str]:
        """Name, location and MLflow address of the workspace, read from the service.

        Raises:
            NotFound: if there is no such workspace.
            AuthFailed: if the identity may not read it.
        """
        place = self.settings
        where = f"{place.workspace_name!r} in resource group {place.resource_group!r}"
        with translated(f"read the workspace {where} of subscription {place.subscription_id!r}"):
            found = self.workspace_client.workspaces.get(place.workspace_name)
            return {
                "name": str(found.name),
                "location": str(found.location),
                "mlflow_tracking_uri": str(found.mlflow_tracking_uri),
            }

    def token(self) -> str:
        """A bearer token for the workspace; never log it."""
        from azure_ml.hook import _sdk

        with translated("get a token for the workspace"):
            return str(self.credential.get_token(f"{_sdk.arm_endpoint()}/.default").token)

    def studio_url(self, path: str) -> str:
        """A page of Azure ML Studio about something in this workspace.

        Args:
            path: for example ``/runs/my-job`` or ``/endpoints/realtime/my-endpoint/detail``.
        """
        url = f"{self._studio}{path}?wsid={self.settings.workspace_id}"
        return url + (f"&tid={self.settings.tenant_id}" if self.settings.tenant_id else "")

    @cached_property
    def _studio(self) -> str:
        from azure_ml.hook import _sdk

        with translated("read the workspace's addresses"):
            return _sdk.studio_endpoint(self.workspace_client)

    def test_connection(self) -> tuple[bool, str]:
        """What the button *Test* of the connection form shows."""
        try:
            found = self.workspace()
        except AzureMLError as error:
            return False, str(error)
        return True, f"The workspace {found['name']!r} in {found['location']} answers."
